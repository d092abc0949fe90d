-- Links are kept alive without their users: what is due, and how judging goes.

-- +goose Up
ALTER TABLE garmin_authentication_states
    ADD COLUMN session_obtained_at timestamptz, -- when the access token came
    ADD COLUMN session_ends_at     timestamptz; -- an end that refreshing does not move; null: none is known

-- How many sessions were found alive or dead, by the minute: when too many are
-- dead it is Garmin, and not its users.
CREATE TABLE link_verdicts (
    minute timestamptz PRIMARY KEY,
    alive  integer NOT NULL DEFAULT 0,
    dead   integer NOT NULL DEFAULT 0
);

-- +goose Down
DROP TABLE link_verdicts;
ALTER TABLE garmin_authentication_states DROP COLUMN session_ends_at, DROP COLUMN session_obtained_at;
