-- Staff see how all links are doing, and what they do stands in the history.

-- +goose Up
ALTER TABLE link_events
    ADD COLUMN staff_id uuid, -- who of the staff acted; no reference: the history outlasts him
    ADD COLUMN note     text; -- what he wrote; the user reads it too

-- How many links stood in which state when a day was counted last; today is
-- counted again and again.
CREATE TABLE link_daily (
    day        date   NOT NULL, -- in UTC
    state      text   NOT NULL,
    reason     text   NOT NULL, -- empty: none
    links      bigint NOT NULL,
    counted_at timestamptz NOT NULL,
    PRIMARY KEY (day, state, reason)
);

-- What was done at Garmin, by the hour: link_activity and link_verdicts are far
-- too long for charts.
CREATE TABLE activity_hourly (
    hour    timestamptz NOT NULL,
    what    text     NOT NULL,
    flow    text     NOT NULL,
    region  text     NOT NULL,
    outcome text     NOT NULL,
    times   bigint   NOT NULL,
    took    bigint[] NOT NULL, -- how many of them took so long; the bounds are internal/link's
    PRIMARY KEY (hour, what, flow, region, outcome)
);

-- +goose Down
DROP TABLE activity_hourly, link_daily;
ALTER TABLE link_events DROP COLUMN note, DROP COLUMN staff_id;
