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
DROP INDEX CONCURRENTLY IF EXISTS garmin_email_search;
CREATE INDEX CONCURRENTLY garmin_email_search ON garmin_authentication_states ((lower(garmin_email) COLLATE "C"));
DROP INDEX CONCURRENTLY IF EXISTS garmin_region;
CREATE INDEX CONCURRENTLY garmin_region ON garmin_authentication_states (region, user_id);
DROP INDEX CONCURRENTLY IF EXISTS garmin_reason;
CREATE INDEX CONCURRENTLY garmin_reason ON garmin_authentication_states (reason, user_id) WHERE reason IS NOT NULL;

-- The orders of the list. Each holds all that the list is filtered by: so what
-- few links have is found without a look at the others.
DROP INDEX CONCURRENTLY IF EXISTS garmin_by_name;
CREATE INDEX CONCURRENTLY garmin_by_name ON garmin_authentication_states ((coalesce(lower(garmin_name), '') COLLATE "C"), user_id)
    INCLUDE (garmin_name, last_validated, region, reason, generation, mfa_pending, challenge_id);
DROP INDEX CONCURRENTLY IF EXISTS garmin_by_validation;
CREATE INDEX CONCURRENTLY garmin_by_validation ON garmin_authentication_states (coalesce(last_validated, '-infinity'::timestamptz), user_id)
    INCLUDE (last_validated, updated_at, region, reason, generation, mfa_pending, challenge_id);
DROP INDEX CONCURRENTLY IF EXISTS garmin_by_change;
CREATE INDEX CONCURRENTLY garmin_by_change ON garmin_authentication_states (updated_at, user_id)
    INCLUDE (last_validated, region, reason, generation, mfa_pending, challenge_id);
DROP INDEX CONCURRENTLY IF EXISTS garmin_updated; -- serves nothing more than that

-- Those that have ended are few, and lie together at one end of the orders of
-- all.
DROP INDEX CONCURRENTLY IF EXISTS garmin_ended_by_validation;
CREATE INDEX CONCURRENTLY garmin_ended_by_validation ON garmin_authentication_states (coalesce(last_validated, '-infinity'::timestamptz), user_id)
    INCLUDE (last_validated, region, reason, mfa_pending, challenge_id) WHERE reason IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS garmin_ended_by_change;
CREATE INDEX CONCURRENTLY garmin_ended_by_change ON garmin_authentication_states (updated_at, user_id)
    INCLUDE (last_validated, region, reason, mfa_pending, challenge_id) WHERE reason IS NOT NULL;

-- It is small: rows lie in the order of their times. Who writes waits for one
-- day's rows at most to be read, today's: nobody writes to the days before.
DROP INDEX IF EXISTS link_activity_at;
CREATE INDEX link_activity_at ON ONLY link_activity USING brin (at) WITH (autosummarize = on);
-- +goose StatementBegin
DO $$
DECLARE
    day text;
BEGIN
    FOR day IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'link_activity'::regclass ORDER BY c.relname
    LOOP
        EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %I USING brin (at) WITH (autosummarize = on)', day || '_at_idx', day);
        EXECUTE format('ALTER INDEX link_activity_at ATTACH PARTITION %I', day || '_at_idx');
        COMMIT;
    END LOOP;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP INDEX IF EXISTS link_activity_at;
DROP INDEX CONCURRENTLY IF EXISTS garmin_ended_by_change;
DROP INDEX CONCURRENTLY IF EXISTS garmin_ended_by_validation;
DROP INDEX CONCURRENTLY IF EXISTS garmin_updated;
CREATE INDEX CONCURRENTLY garmin_updated ON garmin_authentication_states (updated_at, user_id);
DROP INDEX CONCURRENTLY IF EXISTS garmin_by_change;
DROP INDEX CONCURRENTLY IF EXISTS garmin_by_validation;
DROP INDEX CONCURRENTLY IF EXISTS garmin_by_name;
DROP INDEX CONCURRENTLY IF EXISTS garmin_reason;
DROP INDEX CONCURRENTLY IF EXISTS garmin_region;
DROP INDEX CONCURRENTLY IF EXISTS garmin_email_search;
DROP INDEX CONCURRENTLY IF EXISTS users_staff;
DROP INDEX CONCURRENTLY IF EXISTS users_external_search;
DROP INDEX CONCURRENTLY IF EXISTS users_email_search;
