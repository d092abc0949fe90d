-- The first schema: users and their sign-ins, links to Garmin, limits.
-- Everything lives in the one schema that the pool's search_path names.

-- +goose Up

-- Every moment that replicas compare comes from this function, so that one
-- clock decides; tests replace it to shift the time.
CREATE FUNCTION app_now() RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN now();

CREATE TABLE installation (
    singleton      boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    id             uuid    NOT NULL,
    sealing_key_id bigint  NOT NULL,
    -- The sealed key that turns e-mail addresses into keys of limits. It is
    -- also the canary: a keyset that cannot open it is the wrong keyset.
    mac_key        bytea   NOT NULL,
    mac_key_id     bigint  NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT app_now()
);

CREATE TABLE users (
    id            uuid PRIMARY KEY,
    email         text CHECK (email = lower(email)),
    password_hash text,
    role          text NOT NULL CHECK (role IN ('user', 'support', 'admin')),
    external_id   text UNIQUE,
    created_at    timestamptz NOT NULL DEFAULT app_now(),
    updated_at    timestamptz NOT NULL DEFAULT app_now(),
    CONSTRAINT own_users_sign_in CHECK (external_id IS NOT NULL OR (email IS NOT NULL AND password_hash IS NOT NULL)),
    CONSTRAINT external_users_do_not CHECK (external_id IS NULL OR password_hash IS NULL)
);
-- The e-mail of an external user is contact data and matches nobody.
CREATE UNIQUE INDEX users_email ON users (email) WHERE external_id IS NULL;

CREATE TABLE sign_ins (
    id           uuid PRIMARY KEY,
    user_id      uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at   timestamptz NOT NULL DEFAULT app_now(),
    last_seen_at timestamptz NOT NULL DEFAULT app_now(),
    expires_at   timestamptz NOT NULL,
    ended_at     timestamptz
);
CREATE INDEX sign_ins_user ON sign_ins (user_id);

-- Owned by scs; its columns are fixed by scs/postgresstore.
CREATE TABLE sessions (
    token  text PRIMARY KEY,
    data   bytea NOT NULL,
    expiry timestamptz NOT NULL
);
CREATE INDEX sessions_expiry ON sessions (expiry);

-- Numbers Garmin sessions and never repeats, not even after unlink.
CREATE SEQUENCE session_generation;

CREATE TABLE garmin_challenges (
    id            uuid PRIMARY KEY,
    user_id       uuid NOT NULL UNIQUE REFERENCES users ON DELETE CASCADE,
    sealed        bytea NOT NULL,
    key_id        bigint NOT NULL,
    region        text NOT NULL CHECK (region IN ('garmin.com', 'garmin.cn')),
    garmin_email  text NOT NULL,
    method        text NOT NULL,
    sent_to       text NOT NULL,
    attempts      smallint NOT NULL DEFAULT 0 CHECK (attempts BETWEEN 0 AND 5),
    claim_id      uuid,
    claimed_until timestamptz,
    sent_at       timestamptz NOT NULL DEFAULT app_now(),
    expires_at    timestamptz NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT app_now(),
    CONSTRAINT claim_is_whole CHECK ((claim_id IS NULL) = (claimed_until IS NULL))
);

CREATE TABLE garmin_authentication_states (
    user_id        uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    session_data   bytea,
    mfa_pending    boolean NOT NULL DEFAULT false,
    last_validated timestamptz,
    created_at     timestamptz NOT NULL DEFAULT app_now(),
    updated_at     timestamptz NOT NULL DEFAULT app_now(),

    challenge_id   uuid UNIQUE REFERENCES garmin_challenges DEFERRABLE INITIALLY DEFERRED,
    reason         text CHECK (reason IN ('grant_refused', 'token_refused', 'cleared_by_support')),
    state_since    timestamptz NOT NULL DEFAULT app_now(),

    region         text NOT NULL CHECK (region IN ('garmin.com', 'garmin.cn')),
    garmin_email   text NOT NULL,
    garmin_guid    text,
    garmin_name    text,

    generation         bigint,
    key_id             bigint,
    session_expires_at timestamptz,
    refresh_expires_at timestamptz,
    refreshed_at       timestamptz,
    next_check_at      timestamptz,

    -- One refresher at a time; what it set out to do; what it would replace.
    lease_owner         uuid,
    lease_until         timestamptz,
    intent_generation   bigint,
    intent_at           timestamptz,
    grant_refused_at    timestamptz,
    api_refused_since   timestamptz,
    api_refused_at      timestamptz,
    previous_session    bytea,
    previous_generation bigint,
    previous_key_id     bigint,

    CONSTRAINT pending_has_challenge CHECK (mfa_pending = (challenge_id IS NOT NULL)),
    CONSTRAINT live_is_whole CHECK (session_data IS NULL OR (
        reason IS NULL AND garmin_guid IS NOT NULL AND last_validated IS NOT NULL
        AND generation IS NOT NULL AND key_id IS NOT NULL AND session_expires_at IS NOT NULL)),
    CONSTRAINT idle_has_reason CHECK (session_data IS NOT NULL OR mfa_pending OR reason IS NOT NULL),
    CONSTRAINT dead_holds_nothing CHECK (session_data IS NOT NULL OR (
        previous_session IS NULL AND intent_generation IS NULL AND lease_owner IS NULL AND generation IS NULL)),
    CONSTRAINT lease_is_whole CHECK ((lease_owner IS NULL) = (lease_until IS NULL)),
    CONSTRAINT intent_is_whole CHECK ((intent_generation IS NULL) = (intent_at IS NULL)),
    CONSTRAINT previous_is_whole CHECK (
        (previous_session IS NULL) = (previous_generation IS NULL) AND
        (previous_session IS NULL) = (previous_key_id IS NULL))
);
-- One Garmin account, one user.
CREATE UNIQUE INDEX garmin_account ON garmin_authentication_states (garmin_guid);

-- A fresh session of another Garmin account than the linked one; waits for a yes.
CREATE TABLE garmin_candidates (
    user_id            uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    generation         bigint NOT NULL UNIQUE,
    sealed             bytea NOT NULL,
    key_id             bigint NOT NULL,
    region             text NOT NULL CHECK (region IN ('garmin.com', 'garmin.cn')),
    garmin_email       text NOT NULL,
    garmin_guid        text NOT NULL,
    garmin_name        text NOT NULL,
    session_expires_at timestamptz NOT NULL,
    refresh_expires_at timestamptz,
    expires_at         timestamptz NOT NULL,
    created_at         timestamptz NOT NULL DEFAULT app_now()
);

-- Logins at Garmin, kept for two days: one at a time for each user, a daily
-- allowance, and the same answer for the second click of a double click.
CREATE TABLE garmin_login_attempts (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    form_id    uuid,
    email_mac  bytea NOT NULL,
    withdrawn  boolean NOT NULL DEFAULT false,
    started_at timestamptz NOT NULL DEFAULT app_now(),
    ended_at   timestamptz,
    outcome    text,
    retry_at   timestamptz,
    CONSTRAINT ended_has_outcome CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX garmin_login_attempts_user ON garmin_login_attempts (user_id, started_at);

CREATE TABLE link_events (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    event      text NOT NULL,
    from_state text NOT NULL,
    to_state   text NOT NULL,
    reason     text,
    actor      text NOT NULL CHECK (actor IN ('user', 'support', 'system')),
    request_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT app_now()
);
CREATE INDEX link_events_user ON link_events (user_id, id);

-- +goose StatementBegin
CREATE FUNCTION link_events_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'link_events is append-only';
END $$;
-- +goose StatementEnd
CREATE TRIGGER link_events_append_only BEFORE UPDATE ON link_events
    FOR EACH ROW EXECUTE FUNCTION link_events_append_only();

-- Theoretical arrival times of the generic cell rate algorithm (GCRA).
CREATE TABLE rate_limits (
    key     text PRIMARY KEY,
    arrival timestamptz NOT NULL
);
CREATE TABLE cool_downs (
    key   text PRIMARY KEY,
    until timestamptz NOT NULL
);

-- +goose Down
DROP TABLE cool_downs, rate_limits, link_events, garmin_login_attempts, garmin_candidates,
    garmin_authentication_states, garmin_challenges, sessions, sign_ins, users, installation;
DROP FUNCTION link_events_append_only();
DROP SEQUENCE session_generation;
DROP FUNCTION app_now();
