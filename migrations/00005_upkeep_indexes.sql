-- +goose NO TRANSACTION
-- Indexes for the two before this. They are built beside whoever reads and
-- writes; a build that was broken off leaves an index that is of no use, and is
-- made anew.

-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS garmin_session_key;
CREATE INDEX CONCURRENTLY garmin_session_key ON garmin_authentication_states (key_id, user_id) WHERE session_data IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS garmin_previous_key;
CREATE INDEX CONCURRENTLY garmin_previous_key ON garmin_authentication_states (previous_key_id, user_id) WHERE previous_session IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS garmin_due;
CREATE INDEX CONCURRENTLY garmin_due ON garmin_authentication_states (next_check_at, user_id) WHERE session_data IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS garmin_refused;
CREATE INDEX CONCURRENTLY garmin_refused ON garmin_authentication_states (greatest(grant_refused_at, api_refused_at))
    WHERE greatest(grant_refused_at, api_refused_at) IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS garmin_challenges_expiry;
CREATE INDEX CONCURRENTLY garmin_challenges_expiry ON garmin_challenges (expires_at);
DROP INDEX CONCURRENTLY IF EXISTS garmin_candidates_expiry;
CREATE INDEX CONCURRENTLY garmin_candidates_expiry ON garmin_candidates (expires_at);
DROP INDEX CONCURRENTLY IF EXISTS sign_ins_expiry;
CREATE INDEX CONCURRENTLY sign_ins_expiry ON sign_ins (expires_at);

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS sign_ins_expiry;
DROP INDEX CONCURRENTLY IF EXISTS garmin_candidates_expiry;
DROP INDEX CONCURRENTLY IF EXISTS garmin_challenges_expiry;
DROP INDEX CONCURRENTLY IF EXISTS garmin_refused;
DROP INDEX CONCURRENTLY IF EXISTS garmin_due;
DROP INDEX CONCURRENTLY IF EXISTS garmin_previous_key;
DROP INDEX CONCURRENTLY IF EXISTS garmin_session_key;
