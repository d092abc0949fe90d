-- Keys are rotated while replicas run: who runs, with which keys.

-- +goose Up
CREATE TABLE replicas (
    id             uuid PRIMARY KEY,
    host           text     NOT NULL,
    version        text     NOT NULL,
    key_ids        bigint[] NOT NULL,
    sealing_key_id bigint   NOT NULL, -- the one that it seals with, which may not be the installation's yet
    started_at     timestamptz NOT NULL DEFAULT app_now(),
    seen_at        timestamptz NOT NULL DEFAULT app_now()
);

-- +goose Down
DROP TABLE replicas;
