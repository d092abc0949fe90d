-- Programs work with links through the API: their tokens, what they did, and
-- which events they are told of.

-- +goose Up
CREATE TABLE service_tokens (
    id           uuid PRIMARY KEY,
    name         text   NOT NULL,
    prefix       text   NOT NULL UNIQUE, -- of the secret: so much of it may be seen
    hash         bytea  NOT NULL UNIQUE,
    scopes       text[] NOT NULL,
    created_by   uuid REFERENCES users ON DELETE SET NULL, -- null: from the command line
    created_at   timestamptz NOT NULL DEFAULT app_now(),
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz
);

-- type is what the world is told; null: nothing. Ids stand in the order of
-- commits: who writes an event holds a lock from the drawing of its id on.
ALTER TABLE link_events
    ADD COLUMN type     text,
    ADD COLUMN token_id uuid, -- of the program that acted
    ADD COLUMN ends_at  timestamptz, -- the end of which link.expiring tells
    DROP CONSTRAINT link_events_actor_check,
    ADD CONSTRAINT known_actor CHECK (actor IN ('user', 'support', 'system', 'worker')) NOT VALID;
ALTER TABLE link_events VALIDATE CONSTRAINT known_actor;

ALTER TABLE link_activity
    ADD COLUMN token_id   uuid,
    ADD COLUMN generation bigint;

-- What a worker said last of the session, and of which end the world was told.
ALTER TABLE garmin_authentication_states
    ADD COLUMN reported_at      timestamptz,
    ADD COLUMN reported_outcome text CHECK (reported_outcome IN ('ok', 'unauthorized', 'rate_limited')),
    ADD COLUMN warned_of        timestamptz;

-- +goose Down
ALTER TABLE garmin_authentication_states DROP COLUMN warned_of, DROP COLUMN reported_outcome, DROP COLUMN reported_at;
ALTER TABLE link_activity DROP COLUMN generation, DROP COLUMN token_id;
DELETE FROM link_events WHERE actor = 'worker';
ALTER TABLE link_events
    DROP CONSTRAINT known_actor,
    ADD CONSTRAINT link_events_actor_check CHECK (actor IN ('user', 'support', 'system')),
    DROP COLUMN ends_at, DROP COLUMN token_id, DROP COLUMN type;
DROP TABLE service_tokens;
