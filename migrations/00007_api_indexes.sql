-- +goose NO TRANSACTION
-- Indexes for the one before this; see 00005.

-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS link_events_told;
CREATE INDEX CONCURRENTLY link_events_told ON link_events (id) WHERE type IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS garmin_updated;
CREATE INDEX CONCURRENTLY garmin_updated ON garmin_authentication_states (updated_at, user_id);
-- The few that need somebody, among the many that do not.
DROP INDEX CONCURRENTLY IF EXISTS garmin_updated_idle;
CREATE INDEX CONCURRENTLY garmin_updated_idle ON garmin_authentication_states (updated_at, user_id)
    WHERE session_data IS NULL OR mfa_pending;

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS garmin_updated_idle;
DROP INDEX CONCURRENTLY IF EXISTS garmin_updated;
DROP INDEX CONCURRENTLY IF EXISTS link_events_told;
