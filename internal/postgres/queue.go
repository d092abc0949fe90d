package postgres

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// River's tables stand beside ours, in the schema that search_path names. They
// have versions of their own, which come with River.

// migrateQueue brings River's tables up to the newest version. River itself
// has no lock against replicas that start together. The connection that holds
// ours is none of the pool's, which may be as small as one.
func (db *DB) migrateQueue(ctx context.Context) (err error) {
	conn, err := pgx.ConnectConfig(ctx, db.Pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) // gives the lock back
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock('goose_db_version'::regclass::oid::bigint)"); err != nil {
		return err
	}
	river, err := db.river()
	if err != nil {
		return err
	}
	if _, err := river.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate the queue: %w", err)
	}
	return nil
}

// dropQueue removes River's tables.
func (db *DB) dropQueue(ctx context.Context) error {
	river, err := db.river()
	if err != nil {
		return err
	}
	if _, err := river.Migrate(ctx, rivermigrate.DirectionDown, &rivermigrate.MigrateOpts{TargetVersion: -1}); err != nil {
		return fmt.Errorf("migrate the queue down: %w", err)
	}
	return nil
}

// QueueVersions tells which version River's tables have, and which one this
// program was built for, as Versions does of ours.
func (db *DB) QueueVersions(ctx context.Context) (current, wanted int, err error) {
	river, err := db.river()
	if err != nil {
		return 0, 0, err
	}
	all := river.AllVersions()
	wanted = all[len(all)-1].Version
	err = db.Pool.QueryRow(ctx, "SELECT coalesce(max(version), 0) FROM river_migration").Scan(&current)
	if isCode(err, undefinedTable) {
		return 0, wanted, nil
	}
	return current, wanted, err
}

func (db *DB) river() (*rivermigrate.Migrator[pgx.Tx], error) {
	return rivermigrate.New(riverpgxv5.New(db.Pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
}
