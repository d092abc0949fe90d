package dev

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/seal"
)

// ErrInUse says that a database has users who were not seeded.
var ErrInUse = errors.New("dev: the database has links of somebody's: only one without any is filled")

// RunSeed starts the database of Run, fills it as Seed does, and stops it.
func RunSeed(ctx context.Context, o Options, links int) (err error) {
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return err
	}
	cluster, err := startCluster(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.Stop()) }()
	if err := prepare(ctx, cluster.URL(), o.Log); err != nil {
		return err
	}
	db, err := postgres.Open(ctx, cluster.URL(), Schema, o.Log)
	if err != nil {
		return err
	}
	defer db.Close()
	keyset, err := keep(filepath.Join(o.Dir, "keyset.json"), seal.Generate)
	if err != nil {
		return err
	}
	keys, err := seal.Parse(keyset)
	if err != nil {
		return err
	}
	// Which key seals is said by the installation, which it founds.
	if _, err := link.OpenVault(ctx, postgres.NewLinks(db), keys); err != nil {
		return err
	}
	return Seed(ctx, db, links)
}

// Seed fills a database with so many links, and with what they leave behind in
// a month, to see how pages and jobs do at size. Their sessions are noise that no
// key opens, and not due for a year. It fails with ErrInUse if there are links.
func Seed(ctx context.Context, db *postgres.DB, links int) error {
	var used bool
	if err := db.Pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM garmin_authentication_states)").Scan(&used); err != nil {
		return err
	}
	if used {
		return ErrInUse
	}
	err := pgx.BeginFunc(ctx, db.Pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL synchronous_commit = off"); err != nil {
			return err
		}
		for i, statement := range seeding {
			if _, err := tx.Exec(ctx, statement, links); err != nil {
				return fmt.Errorf("seed, step %d: %w", i+1, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, table := range []string{"users", "garmin_authentication_states", "link_events", "link_activity", "activity_hourly", "link_daily"} {
		if _, err := db.Pool.Exec(ctx, "VACUUM ANALYZE "+table); err != nil {
			return err
		}
	}
	return nil
}

// seeding is done in this order. Each takes the number of links. A hash of the
// number of a link stands in for chance, so that two seeded databases are alike.
var seeding = []string{
	// Ids in the order of their making, as UUIDv7 are; half come from a host.
	`CREATE TEMPORARY TABLE seed ON COMMIT DROP AS
		SELECT i, (lpad(to_hex(1700000000000 + i), 12, '0') || '7' || substr(md5(i::text), 1, 3) || 'a' || substr(md5(i::text), 4, 15))::uuid AS id,
			abs(hashint4(i)) % 1000 AS luck, app_now() - abs(hashint4(i)) % 300 * interval '1 day' AS since,
			app_now() - abs(hashint4(-i)) % 86400 * interval '1 second' AS lately,
			(ARRAY['Ada','Bao','Carla','Dmitri','Emma','Femi','Greta','Hugo','Ines','Jun','Kofi','Lena','Mara','Noor','Otto','Priya'])[1 + abs(hashint4(i)) % 16]
				|| ' ' || (ARRAY['Berg','Costa','Duarte','Eriksen','Fischer','Garcia','Haas','Ito','Jansen','Kim','Lopez','Moreau'])[1 + abs(hashint4(i * 7)) % 12]
				|| ' ' || i AS name
		FROM generate_series(1, $1::int) AS i`,
	`INSERT INTO users (id, email, password_hash, role, external_id, created_at, updated_at)
		SELECT id, lower(replace(name, ' ', '.')) || '@example.com', CASE WHEN i % 2 = 0 THEN 'seeded' END, 'user',
			CASE WHEN i % 2 = 1 THEN 'host-' || i END, since, since FROM seed WHERE $1::int > 0 ORDER BY i`,
	// Of a thousand: 30 must sign in again, 20 are of the other region.
	`INSERT INTO garmin_authentication_states (user_id, session_data, last_validated, created_at, updated_at, reason, state_since,
			region, garmin_email, garmin_guid, garmin_name, generation, key_id, session_expires_at, refresh_expires_at, refreshed_at, next_check_at)
		SELECT id, CASE WHEN luck >= 30 THEN decode(repeat(md5(i::text), 8), 'hex') END,
			CASE WHEN luck >= 30 THEN lately ELSE lately - luck * interval '1 day' END, since,
			CASE WHEN luck >= 30 THEN lately ELSE lately - luck * interval '1 day' END,
			CASE WHEN luck < 22 THEN 'grant_refused' WHEN luck < 28 THEN 'token_refused' WHEN luck < 30 THEN 'cleared_by_support' END,
			CASE WHEN luck >= 30 THEN since ELSE lately - luck * interval '1 day' END,
			CASE WHEN luck % 50 = 7 THEN 'garmin.cn' ELSE 'garmin.com' END, lower(replace(name, ' ', '.')) || '@garmin.example', id::text, name,
			CASE WHEN luck >= 30 THEN nextval('session_generation') END,
			CASE WHEN luck >= 30 THEN coalesce((SELECT sealing_key_id FROM installation), 0) END,
			CASE WHEN luck >= 30 THEN lately + interval '18 hours' END, CASE WHEN luck >= 30 THEN lately + interval '60 days' END,
			lately, CASE WHEN luck >= 30 THEN app_now() + interval '1 year' END
		FROM seed WHERE $1::int > 0 ORDER BY i`,
	`INSERT INTO link_events (user_id, event, from_state, to_state, reason, actor, request_id, created_at)
		SELECT id, event, before, after, reason, actor, 'seed', at FROM (
			SELECT i, id, 'login_done' AS event, 'not_linked' AS before, 'active' AS after, NULL AS reason, 'user' AS actor, since AS at FROM seed
			UNION ALL
			SELECT i, id, 'rejected', 'active', 'reauth_needed', 'grant_refused', 'system', lately - luck * interval '1 day' FROM seed WHERE luck < 30
		) AS happened WHERE $1::int > 0 ORDER BY at`,
	`SELECT turn_link_activity() WHERE $1::int > 0`,
	// What the partitions of today and tomorrow can take: a month would need those of the past.
	`INSERT INTO link_activity (at, user_id, request_id, what, flow, region, op, outcome, status, type, took)
		SELECT date_trunc('day', app_now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
				+ (app_now() - date_trunc('day', app_now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC') * (abs(hashint4(i * 3 + n)) % 1000 / 1000.0),
			id, 'seed', (ARRAY['validate','refresh','checkout'])[1 + n % 3], '', 'garmin.com', '', '', 0, '',
			(80 + abs(hashint4(i + n)) % 400) * interval '1 millisecond'
		FROM seed, generate_series(0, 2) AS n WHERE $1::int > 0 ORDER BY 1`,
	`INSERT INTO link_daily (day, state, reason, links, counted_at)
		SELECT (app_now() AT TIME ZONE 'UTC')::date - d, s.state, s.reason, greatest(0, round($1::int * s.share * (1 - d * 0.004)))::bigint,
			app_now() - d * interval '1 day'
		FROM generate_series(1, 29) AS d, (VALUES ('active', '', 0.965), ('not_linked', '', 0.004), ('mfa_pending', '', 0.001),
			('reauth_needed', 'grant_refused', 0.022), ('reauth_needed', 'token_refused', 0.006), ('reauth_needed', 'cleared_by_support', 0.002)
		) AS s (state, reason, share)`,
	`INSERT INTO activity_hourly (hour, what, flow, region, outcome, times, took)
		SELECT date_trunc('hour', app_now()) - h * interval '1 hour', k.what, k.flow, 'garmin.com', k.outcome,
			n.times, ARRAY[0, n.times / 10, n.times / 3, n.times / 3, n.times / 10, 0, 0, 0, 0, 0, 0]::bigint[]
		FROM generate_series(1, 719) AS h, (VALUES
			('validate', '', '', 0.04), ('validate', '', 'unavailable', 0.0004), ('refresh', '', '', 0.05), ('refresh', '', 'grant_dead', 0.0001),
			('login', 'ios', '', 0.0008), ('login', 'ios', 'blocked', 0.0002), ('login', 'widget', '', 0.0003), ('login', 'widget', 'captcha', 0.0001),
			('verdict', '', '', 0.04), ('verdict', '', 'dead', 0.0001)
		) AS k (what, flow, outcome, share),
		LATERAL (SELECT ceil($1::int * k.share * (1 + 0.5 * sin(h / 24.0 * 6.283)))::bigint AS times) AS n WHERE k.outcome = '' OR n.times > 0`,
}
