-- Who had which role since when, and whom a support reference is about.

-- +goose Up

-- No references: the record outlasts those whom it is about. by_id is null for
-- what came from no page: the set-up, the command line, the database itself.
CREATE TABLE role_changes (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    uuid NOT NULL,
    email      text NOT NULL,
    from_role  text NOT NULL, -- empty: the user is new
    to_role    text NOT NULL,
    by_id      uuid,
    request_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT app_now()
);

-- By a trigger, so that no way to a role is without its line.
-- +goose StatementBegin
CREATE FUNCTION note_role() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO role_changes (user_id, email, from_role, to_role, by_id, request_id)
    VALUES (NEW.id, coalesce(NEW.email, NEW.external_id), CASE TG_OP WHEN 'UPDATE' THEN OLD.role ELSE '' END, NEW.role,
        nullif(current_setting('garminlink.by', true), '')::uuid, coalesce(current_setting('garminlink.request', true), ''));
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER role_is_noted AFTER INSERT ON users
    FOR EACH ROW WHEN (NEW.role <> 'user') EXECUTE FUNCTION note_role();
CREATE TRIGGER role_change_is_noted AFTER UPDATE OF role ON users
    FOR EACH ROW WHEN (OLD.role <> NEW.role) EXECUTE FUNCTION note_role();

-- +goose Down
DROP TRIGGER role_change_is_noted ON users;
DROP TRIGGER role_is_noted ON users;
DROP FUNCTION note_role();
DROP TABLE role_changes;
