-- A dump reads link_activity for as long as it lasts. Whoever makes and drops
-- partitions waits for it, and whoever adds a line waits behind him: so he gives
-- up soon, and comes again in an hour. Partitions are made a week ahead.

-- +goose Up
ALTER FUNCTION turn_link_activity() SET lock_timeout = '500ms';

-- +goose Down
ALTER FUNCTION turn_link_activity() RESET lock_timeout;
