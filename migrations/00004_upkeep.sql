-- Links are kept alive without their users: what is due, and how judging goes.

-- +goose Up
ALTER TABLE garmin_authentication_states
    ADD COLUMN session_obtained_at timestamptz, -- when the access token came
    ADD COLUMN session_ends_at     timestamptz; -- an end that refreshing does not move; null: none is known

-- All that a look for due links reads.
CREATE INDEX garmin_due ON garmin_authentication_states (next_check_at, user_id) WHERE session_data IS NOT NULL;
CREATE INDEX garmin_challenges_expiry ON garmin_challenges (expires_at);
CREATE INDEX garmin_candidates_expiry ON garmin_candidates (expires_at);
CREATE INDEX sign_ins_expiry ON sign_ins (expires_at);

-- How many sessions were found alive or dead, by the minute: when too many are
-- dead it is Garmin, and not its users.
CREATE TABLE link_verdicts (
    minute timestamptz PRIMARY KEY,
    alive  integer NOT NULL DEFAULT 0,
    dead   integer NOT NULL DEFAULT 0
);

-- +goose Down
DROP TABLE link_verdicts;
DROP INDEX sign_ins_expiry, garmin_candidates_expiry, garmin_challenges_expiry, garmin_due;
ALTER TABLE garmin_authentication_states DROP COLUMN session_ends_at, DROP COLUMN session_obtained_at;
