-- +goose NO TRANSACTION
-- Indexes for what staff look for; see 00005. link_activity needs none to find a
-- reference: that begins with its time.

-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS link_events_request;
CREATE INDEX CONCURRENTLY link_events_request ON link_events (request_id);
DROP INDEX CONCURRENTLY IF EXISTS webhook_deliveries_failed;
CREATE INDEX CONCURRENTLY webhook_deliveries_failed ON webhook_deliveries (created_at, id)
    WHERE state = 'given_up' OR state = 'waiting' AND failures > 0;

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS webhook_deliveries_failed;
DROP INDEX CONCURRENTLY IF EXISTS link_events_request;
