-- Keys are rotated while replicas run: who runs, with which keys, and which
-- rows need which key.

-- +goose Up
CREATE TABLE replicas (
    id             uuid PRIMARY KEY,
    host           text     NOT NULL,
    version        text     NOT NULL,
    key_ids        bigint[] NOT NULL,
    sealing_key_id bigint   NOT NULL, -- the one that it seals with, which may not be the installation's yet
    started_at     timestamptz NOT NULL DEFAULT app_now(),
    seen_at        timestamptz NOT NULL DEFAULT app_now()
);

-- Counted and walked through by key; the other sealed tables stay small.
CREATE INDEX garmin_session_key ON garmin_authentication_states (key_id, user_id) WHERE session_data IS NOT NULL;
CREATE INDEX garmin_previous_key ON garmin_authentication_states (previous_key_id, user_id) WHERE previous_session IS NOT NULL;

-- +goose Down
DROP INDEX garmin_previous_key, garmin_session_key;
DROP TABLE replicas;
