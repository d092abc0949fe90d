-- Programs elsewhere are told of events: to whom, what, and how it went.

-- +goose Up
CREATE TABLE webhook_endpoints (
    id              uuid PRIMARY KEY,
    url             text   NOT NULL,
    events          text[] NOT NULL, -- empty: all, also those of versions to come
    secret          bytea  NOT NULL, -- sealed
    key_id          bigint NOT NULL,
    former_secret   bytea,           -- signs too, until then
    former_key_id   bigint,
    former_until    timestamptz,
    tells_after     bigint NOT NULL, -- events up to this one are from before it was asked for
    disabled_at     timestamptz,
    disabled_reason text CHECK (disabled_reason IN ('by_operator', 'gone')),
    paused_until    timestamptz,     -- it has asked for that
    last_success_at timestamptz,
    failing_since   timestamptz,     -- null: the last attempt succeeded
    created_at      timestamptz NOT NULL DEFAULT app_now(),
    CONSTRAINT former_is_whole CHECK (
        (former_secret IS NULL) = (former_key_id IS NULL) AND
        (former_secret IS NULL) = (former_until IS NULL)),
    CONSTRAINT disabled_has_reason CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL))
);

-- One event for one endpoint; its id is the webhook-id that receivers see. The
-- user is no reference: that his link was removed is told even when he is gone.
CREATE TABLE webhook_deliveries (
    id              uuid PRIMARY KEY,
    endpoint_id     uuid NOT NULL REFERENCES webhook_endpoints ON DELETE CASCADE,
    event_id        bigint, -- null, and no user: a test
    user_id         uuid,
    type            text NOT NULL,
    body            text NOT NULL, -- as text: each attempt sends the same bytes
    state           text NOT NULL CHECK (state IN ('waiting', 'delivered', 'given_up')),
    attempts        integer NOT NULL DEFAULT 0,
    failures        integer NOT NULL DEFAULT 0, -- those that were the endpoint's fault
    next_attempt_at timestamptz NOT NULL DEFAULT app_now(),
    lease_until     timestamptz, -- somebody is sending it
    created_at      timestamptz NOT NULL DEFAULT app_now(),
    ended_at        timestamptz,
    CONSTRAINT told_once UNIQUE (endpoint_id, event_id),
    CONSTRAINT test_has_no_user CHECK ((event_id IS NULL) = (user_id IS NULL)),
    CONSTRAINT test_waits_for_nothing CHECK (event_id IS NOT NULL OR state <> 'waiting'),
    CONSTRAINT ended_unless_waiting CHECK ((state = 'waiting') = (ended_at IS NULL))
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint_id, next_attempt_at) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_line ON webhook_deliveries (endpoint_id, user_id, event_id) WHERE state = 'waiting';
CREATE INDEX webhook_deliveries_user ON webhook_deliveries (user_id, created_at);
CREATE INDEX webhook_deliveries_age ON webhook_deliveries (created_at);

-- An attempt without a time that it took is under way, or its process died.
CREATE TABLE webhook_attempts (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    delivery_id uuid NOT NULL REFERENCES webhook_deliveries ON DELETE CASCADE,
    started_at  timestamptz NOT NULL DEFAULT app_now(),
    took        interval,
    status      smallint, -- null: no answer
    error       text      -- our own words; null: it succeeded
);
CREATE INDEX webhook_attempts_delivery ON webhook_attempts (delivery_id, id);

-- The last event that deliveries were made of.
CREATE TABLE webhook_cursor (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    event_id  bigint NOT NULL
);
INSERT INTO webhook_cursor (event_id) SELECT coalesce(max(id), 0) FROM link_events;

-- +goose Down
DROP TABLE webhook_cursor, webhook_attempts, webhook_deliveries, webhook_endpoints;
