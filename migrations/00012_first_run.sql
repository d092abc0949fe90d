-- The first admin of an installation, what users have chosen for themselves,
-- and mails to those whose link needs them.

-- +goose Up

-- One row. Closed, it stays so for ever, whoever becomes an admin in whatever
-- way, by the former release too: see the trigger.
CREATE TABLE set_up (
    singleton  boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    token_hash bytea,       -- of the token that opens it; null: none was printed
    expires_at timestamptz, -- of the token
    closed_at  timestamptz,
    CONSTRAINT token_is_whole CHECK ((token_hash IS NULL) = (expires_at IS NULL)),
    CONSTRAINT closed_has_no_token CHECK (closed_at IS NULL OR token_hash IS NULL)
);

-- +goose StatementBegin
CREATE FUNCTION close_set_up() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE set_up SET closed_at = app_now(), token_hash = NULL, expires_at = NULL WHERE closed_at IS NULL;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER admin_closes_set_up AFTER INSERT OR UPDATE OF role ON users
    FOR EACH ROW WHEN (NEW.role = 'admin') EXECUTE FUNCTION close_set_up();
-- After the trigger, which has waited for whoever was writing users.
INSERT INTO set_up (closed_at) SELECT app_now() WHERE EXISTS (SELECT FROM users WHERE role = 'admin');
INSERT INTO set_up DEFAULT VALUES ON CONFLICT DO NOTHING;

ALTER TABLE users
    ADD COLUMN no_mail  boolean NOT NULL DEFAULT false, -- wants no notices
    ADD COLUMN language text NOT NULL DEFAULT '' CHECK (length(language) <= 35), -- BCP 47; empty: the browser's
    ADD COLUMN spoken   text NOT NULL DEFAULT '' CHECK (length(spoken) <= 35); -- that he was last spoken to in, at a sign-in

-- One mail for each incident. Whether it is still wanted is seen when it is
-- about to be sent.
CREATE TABLE mail_notices (
    user_id         uuid   NOT NULL REFERENCES users ON DELETE CASCADE,
    event_id        bigint NOT NULL,
    type            text   NOT NULL,
    state           text   NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'given_up', 'dropped')),
    attempts        integer NOT NULL DEFAULT 0,
    failures        integer NOT NULL DEFAULT 0, -- those that count against it
    next_attempt_at timestamptz NOT NULL DEFAULT app_now(),
    lease_until     timestamptz, -- somebody is sending it
    error           text,        -- of the last attempt, in our own words; null: it succeeded
    created_at      timestamptz NOT NULL DEFAULT app_now(),
    ended_at        timestamptz,
    PRIMARY KEY (user_id, event_id),
    CONSTRAINT ended_unless_waiting CHECK ((state = 'waiting') = (ended_at IS NULL))
);
CREATE INDEX mail_notices_due ON mail_notices (next_attempt_at) WHERE state = 'waiting';
CREATE INDEX mail_notices_age ON mail_notices (created_at);

-- The last event that notices were made of, and until when the mail server is
-- left alone, as it has failed.
CREATE TABLE mail_cursor (
    singleton    boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    event_id     bigint NOT NULL,
    paused_until timestamptz
);
INSERT INTO mail_cursor (event_id) SELECT coalesce(max(id), 0) FROM link_events;

-- +goose Down
DROP TABLE mail_cursor, mail_notices;
ALTER TABLE users DROP COLUMN spoken, DROP COLUMN language, DROP COLUMN no_mail;
DROP TRIGGER admin_closes_set_up ON users;
DROP FUNCTION close_set_up();
DROP TABLE set_up;
