-- +goose NO TRANSACTION
-- Indexes for the one before this; see 00005. Those of texts compare bytes: so
-- they serve a search for a beginning and an order, whatever the database's own
-- collation is, and need no extension.

-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS users_email_search;
CREATE INDEX CONCURRENTLY users_email_search ON users ((email COLLATE "C"));
DROP INDEX CONCURRENTLY IF EXISTS users_external_search;
CREATE INDEX CONCURRENTLY users_external_search ON users ((lower(external_id) COLLATE "C"));
DROP INDEX CONCURRENTLY IF EXISTS users_staff;
CREATE INDEX CONCURRENTLY users_staff ON users (role, email) WHERE role <> 'user';
DROP INDEX CONCURRENTLY IF EXISTS garmin_name_search;
CREATE INDEX CONCURRENTLY garmin_name_search ON garmin_authentication_states ((coalesce(lower(garmin_name), '') COLLATE "C"), user_id);
DROP INDEX CONCURRENTLY IF EXISTS garmin_email_search;
CREATE INDEX CONCURRENTLY garmin_email_search ON garmin_authentication_states ((lower(garmin_email) COLLATE "C"));
DROP INDEX CONCURRENTLY IF EXISTS garmin_validated;
CREATE INDEX CONCURRENTLY garmin_validated ON garmin_authentication_states (coalesce(last_validated, '-infinity'::timestamptz), user_id);
DROP INDEX CONCURRENTLY IF EXISTS garmin_region;
CREATE INDEX CONCURRENTLY garmin_region ON garmin_authentication_states (region, user_id);
DROP INDEX CONCURRENTLY IF EXISTS garmin_reason;
CREATE INDEX CONCURRENTLY garmin_reason ON garmin_authentication_states (reason, user_id) WHERE session_data IS NULL;

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS garmin_reason;
DROP INDEX CONCURRENTLY IF EXISTS garmin_region;
DROP INDEX CONCURRENTLY IF EXISTS garmin_validated;
DROP INDEX CONCURRENTLY IF EXISTS garmin_email_search;
DROP INDEX CONCURRENTLY IF EXISTS garmin_name_search;
DROP INDEX CONCURRENTLY IF EXISTS users_staff;
DROP INDEX CONCURRENTLY IF EXISTS users_external_search;
DROP INDEX CONCURRENTLY IF EXISTS users_email_search;
