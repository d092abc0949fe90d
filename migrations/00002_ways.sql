-- More ways to link than a password, and a record of what Garmin answered.

-- +goose Up
ALTER TABLE garmin_login_attempts
    ADD COLUMN way text NOT NULL DEFAULT 'password' CHECK (way IN ('password', 'handoff', 'import')),
    ADD COLUMN ticket_mac   bytea, -- of the ticket or session that was brought; email_mac is empty then
    ADD COLUMN paused_until timestamptz;

-- Signs OAuth1 requests; the same for everybody.
CREATE TABLE oauth1_consumer (
    singleton    boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    consumer_key text   NOT NULL,
    secret       bytea  NOT NULL, -- sealed
    key_id       bigint NOT NULL,
    fetched_at   timestamptz NOT NULL DEFAULT app_now()
);

-- What was done at Garmin, kept for 30 days.
CREATE TABLE link_activity (
    at         timestamptz NOT NULL DEFAULT app_now(),
    user_id    uuid     NOT NULL, -- without a reference: its locks would stop sign-ins while partitions come and go
    request_id text     NOT NULL,
    what       text     NOT NULL,
    flow       text     NOT NULL,
    region     text     NOT NULL,
    op         text     NOT NULL,
    outcome    text     NOT NULL,
    status     smallint NOT NULL,
    type       text     NOT NULL,
    took       interval NOT NULL
) PARTITION BY RANGE (at);
CREATE INDEX link_activity_user ON link_activity (user_id, at);

-- Makes the partitions of today and the next seven days and drops those that
-- are older than 30. It runs with the rights of its owner, as the one who
-- serves may have none to make tables.
-- +goose StatementBegin
CREATE FUNCTION turn_link_activity() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    today date := (app_now() AT TIME ZONE 'UTC')::date;
    name  text;
BEGIN
    PERFORM pg_advisory_xact_lock('link_activity'::regclass::oid::bigint);
    FOR i IN 0..7 LOOP
        EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF link_activity FOR VALUES FROM (%L) TO (%L)',
            'link_activity_' || to_char(today + i, 'YYYYMMDD'),
            (today + i)::timestamp AT TIME ZONE 'UTC', (today + i + 1)::timestamp AT TIME ZONE 'UTC');
    END LOOP;
    FOR name IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'link_activity'::regclass
            AND c.relname < 'link_activity_' || to_char(today - 30, 'YYYYMMDD')
    LOOP
        EXECUTE format('DROP TABLE %I', name);
    END LOOP;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION turn_link_activity();
DROP TABLE link_activity, oauth1_consumer;
ALTER TABLE garmin_login_attempts DROP COLUMN way, DROP COLUMN ticket_mac, DROP COLUMN paused_until;
