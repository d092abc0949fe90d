package postgres_test

import (
	"context"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/garminlink/garminlink/internal/limit"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

// newRole makes a role of the server that may sign in, and that goes when the
// database of the test has gone.
func newRole(t *testing.T) (name string) {
	t.Helper()
	server, err := pgx.Connect(t.Context(), os.Getenv("GARMINLINK_TEST_DATABASE_URL"))
	if err != nil {
		t.Fatal(err)
	}
	name = "serving_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	if _, err := server.Exec(t.Context(), "CREATE ROLE "+name+" LOGIN PASSWORD 'serving'"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.Background()
		if _, err := server.Exec(ctx, "DROP ROLE "+name); err != nil {
			t.Error(err)
		}
		_ = server.Close(ctx)
	})
	return name
}

// Who serves need not be the owner of the tables; the days' partitions come and
// go all the same.
func TestServingRoleMakesNoTables(t *testing.T) {
	t.Parallel()
	role := newRole(t)
	db := pgtest.New(t)
	for _, grant := range []string{
		"GRANT USAGE ON SCHEMA garminlink TO ",
		"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA garminlink TO ",
		"GRANT USAGE ON ALL SEQUENCES IN SCHEMA garminlink TO ",
	} {
		if _, err := db.Pool.Exec(t.Context(), grant+role); err != nil {
			t.Fatal(err)
		}
	}
	address, err := url.Parse(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	address.User = url.UserPassword(role, "serving")
	serving, err := postgres.Open(t.Context(), address.String(), pgtest.Schema, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer serving.Close()
	links := postgres.NewLinks(serving)
	for what, do := range map[string]func(context.Context) error{
		"note": func(ctx context.Context) error {
			return links.Note(ctx, link.Activity{User: uuid.New(), What: "login"})
		},
		"clean": links.Clean,
		"due":   func(ctx context.Context) error { _, err := links.Due(ctx, 1); return err },
		"limit": func(ctx context.Context) error {
			_, err := postgres.NewLimits(serving.Gorm).Take(ctx, "key", limit.Rate{Burst: 1, Per: time.Second})
			return err
		},
	} {
		if err := do(t.Context()); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := serving.Pool.Exec(t.Context(), "CREATE TABLE garminlink.mine ()"); err == nil {
		t.Error("the role may make tables, so that the test shows nothing")
	}
}
