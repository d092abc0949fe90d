package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/garminlink/garminlink/migrations"
)

// SQLSTATE codes, from PostgreSQL's manual, "Error Codes".
const (
	undefinedTable  = "42P01"
	duplicateSchema = "42P06"
	uniqueViolation = "23505"
)

// Migrate brings the schema up to the newest version, making it first if it
// is missing, and River's tables with it. Replicas that start together wait
// for one another.
func (db *DB) Migrate(ctx context.Context) error {
	if err := db.createSchema(ctx); err != nil {
		return err
	}
	provider, err := db.goose()
	if err != nil {
		return err
	}
	if _, err = provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return db.migrateQueue(ctx)
}

// MigrateDown takes the schema back to a version; 0 is empty. River's tables go
// with the last of ours.
func (db *DB) MigrateDown(ctx context.Context, version int64) error {
	if version == 0 {
		if err := db.dropQueue(ctx); err != nil {
			return err
		}
	}
	provider, err := db.goose()
	if err != nil {
		return err
	}
	if _, err = provider.DownTo(ctx, version); err != nil {
		return fmt.Errorf("migrate down: %w", err)
	}
	return nil
}

// Versions tells which version the schema has, and which one this program
// was built for. It changes nothing. A schema may be newer than the program:
// migrations are safe beside the previous release.
func (db *DB) Versions(ctx context.Context) (current, wanted int64, err error) {
	provider, err := db.goose()
	if err != nil {
		return 0, 0, err
	}
	sources := provider.ListSources()
	wanted = sources[len(sources)-1].Version
	err = db.Pool.QueryRow(ctx, "SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied").Scan(&current)
	if isCode(err, undefinedTable) {
		return 0, wanted, nil
	}
	return current, wanted, err
}

func (db *DB) goose() (*goose.Provider, error) {
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db.SQL, migrations.FS,
		goose.WithSessionLocker(locker),
		goose.WithDisableGlobalRegistry(true),
	)
}

// createSchema looks before it creates, as a role that was given a schema may
// not be allowed to create one.
func (db *DB) createSchema(ctx context.Context) error {
	schema := db.Pool.Config().ConnConfig.RuntimeParams["search_path"] // quoted by Open
	var exists bool
	if err := db.Pool.QueryRow(ctx, "SELECT to_regnamespace($1) IS NOT NULL", schema).Scan(&exists); err != nil || exists {
		return err
	}
	_, err := db.Pool.Exec(ctx, "CREATE SCHEMA "+schema)
	// Another replica may have made it meanwhile.
	if isCode(err, duplicateSchema) || isCode(err, uniqueViolation) {
		return nil
	}
	return err
}

func isCode(err error, code string) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == code
}
