// Package pgtest gives each test a PostgreSQL database of its own, copied from
// a template that was migrated once. It owns neither the server, which `make
// test` provides, nor the schema.
package pgtest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/peterldowns/pgtestdb"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/migrations"
)

// Schema is where the tables are.
const Schema = "garminlink"

// addressVariable names the server, as a URL for a superuser.
const addressVariable = "GARMINLINK_TEST_DATABASE_URL"

// DB is the database of one test.
type DB struct {
	*postgres.DB
	// URL is for programs that a test starts.
	URL string

	mu    sync.Mutex
	shift time.Duration
}

// New returns a fresh, migrated database that vanishes with the test.
func New(t testing.TB) *DB {
	t.Helper()
	return open(t, migrator{})
}

// NewEmpty returns a fresh database without a schema, for tests of the
// migrations themselves.
func NewEmpty(t testing.TB) *DB {
	t.Helper()
	return open(t, pgtestdb.NoopMigrator{})
}

func open(t testing.TB, m pgtestdb.Migrator) *DB {
	t.Helper()
	address := pgtestdb.Custom(t, server(t), m).URL()
	db, err := postgres.Open(t.Context(), address, Schema, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return &DB{DB: db, URL: address}
}

// Advance moves the clock of this database, app_now(), forward by d. Go's
// clocks stay as they are.
func (db *DB) Advance(t testing.TB, d time.Duration) {
	t.Helper()
	db.mu.Lock()
	defer db.mu.Unlock()
	db.shift += d
	_, err := db.Pool.Exec(t.Context(), fmt.Sprintf(
		`CREATE OR REPLACE FUNCTION %s.app_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
		RETURN now() + interval '%d microseconds'`, Schema, db.shift.Microseconds()))
	if err != nil {
		t.Fatal(err)
	}
}

// server reads the address of the server. Its options stand in the query, as
// do the folders of Unix sockets.
func server(t testing.TB) pgtestdb.Config {
	t.Helper()
	address := os.Getenv(addressVariable)
	if address == "" {
		t.Fatalf("%s is not set: run the tests with `make test`, or by hand as\n\tgo run ./cmd/garminlink dev postgres -- go test ./internal/...", addressVariable)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatalf("%s: %v", addressVariable, err)
	}
	password, _ := u.User.Password()
	return pgtestdb.Config{
		DriverName: "pgx",
		Host:       u.Hostname(),
		Port:       u.Port(),
		User:       u.User.Username(),
		Password:   password,
		Database:   u.Path[1:],
		Options:    u.RawQuery,
		// Programs that a test has killed may leave connections for a moment.
		ForceTerminateConnections: true,
	}
}

// migrator makes the template as the program itself would.
type migrator struct{}

// Hash changes with every change of a migration, River's included.
func (migrator) Hash() (string, error) {
	hash := sha256.New()
	river, err := rivermigrate.New(riverpgxv5.New(nil), nil)
	if err != nil {
		return "", err
	}
	for _, m := range river.AllVersions() {
		fmt.Fprintf(hash, "river %d %d\n%s", m.Version, len(m.SQLUp), m.SQLUp)
	}
	err = fs.WalkDir(migrations.FS, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(migrations.FS, name)
		fmt.Fprintf(hash, "%s %d\n%s", name, len(text), text)
		return err
	})
	return hex.EncodeToString(hash.Sum(nil)), err
}

func (migrator) Migrate(ctx context.Context, _ *sql.DB, template pgtestdb.Config) error {
	db, err := postgres.Open(ctx, template.URL(), Schema, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Migrate(ctx)
}
