-- +goose NO TRANSACTION
-- For the log of one endpoint; see 00005.

-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS webhook_deliveries_endpoint;
CREATE INDEX CONCURRENTLY webhook_deliveries_endpoint ON webhook_deliveries (endpoint_id, created_at, id);

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS webhook_deliveries_endpoint;
