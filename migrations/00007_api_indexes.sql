-- +goose NO TRANSACTION
-- Indexes for the one before this; see 00005.

-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS link_events_told;
CREATE INDEX CONCURRENTLY link_events_told ON link_events (id) WHERE type IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS garmin_updated;
CREATE INDEX CONCURRENTLY garmin_updated ON garmin_authentication_states (updated_at, user_id);

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS garmin_updated;
DROP INDEX CONCURRENTLY IF EXISTS link_events_told;
