-- Connect sessions: a host application sends a user of its own over to link,
-- and has him back. Their secrets are derived from the installation's key; what
-- stands here opens nothing.

-- +goose Up
CREATE TABLE connect_sessions (
    id              uuid PRIMARY KEY,
    user_id         uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    token_id        uuid REFERENCES service_tokens ON DELETE SET NULL, -- of the application that made it
    created_by      uuid REFERENCES users ON DELETE SET NULL,          -- or who of the staff
    idempotency_key text,
    request_hash    bytea,
    purpose         text NOT NULL CHECK (purpose IN ('link', 'relink')),
    return_url      text NOT NULL, -- empty: to our own first page
    state           text NOT NULL CHECK (length(state) <= 512),
    region          text NOT NULL CHECK (region IN ('', 'garmin.com', 'garmin.cn')),
    locale          text NOT NULL,
    browser         bytea,    -- hash of the cookie of the one browser that it is bound to
    bound_at        timestamptz,
    code_generation bigint,   -- of the session that it has led to, which its code completes
    returned_at     timestamptz,
    tries           smallint NOT NULL DEFAULT 0 CHECK (tries BETWEEN 0 AND 5), -- of a code, wrong ones
    created_at      timestamptz NOT NULL DEFAULT app_now(),
    expires_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    outcome         text CHECK (outcome IN ('completed', 'cancelled', 'superseded', 'refused')),
    CONSTRAINT bound_is_whole CHECK ((browser IS NULL) = (bound_at IS NULL)),
    CONSTRAINT ended_is_whole CHECK ((ended_at IS NULL) = (outcome IS NULL)),
    CONSTRAINT keyed_is_whole CHECK ((idempotency_key IS NULL) = (request_hash IS NULL))
);
CREATE UNIQUE INDEX connect_idempotency ON connect_sessions (coalesce(token_id, created_by), idempotency_key);
CREATE INDEX connect_sessions_user ON connect_sessions (user_id);
CREATE INDEX connect_sessions_created ON connect_sessions (created_at);

-- For which connect session a candidate waits; null: for its user's own yes.
-- No reference, which would want an index: a candidate is gone long before.
-- The associated data binds it too, so that the former release cannot take one
-- for its own.
ALTER TABLE garmin_candidates ADD COLUMN connect_session_id uuid;

-- Under which connect session a challenge was begun, in the same way.
ALTER TABLE garmin_challenges ADD COLUMN connect_session_id uuid;

-- +goose Down
ALTER TABLE garmin_challenges DROP COLUMN connect_session_id;
DELETE FROM garmin_candidates WHERE connect_session_id IS NOT NULL;
ALTER TABLE garmin_candidates DROP COLUMN connect_session_id;
DROP TABLE connect_sessions;
