package postgres_test

import (
	"log/slog"
	"testing"

	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

func TestQueueIsMigratedWithTheRest(t *testing.T) {
	t.Parallel()
	db := pgtest.NewEmpty(t)
	current, wanted, err := db.QueueVersions(t.Context())
	if err != nil || current != 0 || wanted == 0 {
		t.Errorf("QueueVersions() = %d, %d, %v", current, wanted, err)
	}
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if current, _, err := db.QueueVersions(t.Context()); err != nil || current != wanted {
		t.Errorf("version %d of %d, %v", current, wanted, err)
	}
	var elsewhere int
	err = db.Pool.QueryRow(t.Context(), `
		SELECT count(*) FROM pg_class WHERE relname LIKE 'river%' AND relnamespace <> 'garminlink'::regnamespace`).Scan(&elsewhere)
	if err != nil || elsewhere != 0 {
		t.Errorf("%d things of River's stand in other schemas, %v", elsewhere, err)
	}
}

func TestSmallPoolIsEnoughToMigrate(t *testing.T) {
	t.Parallel()
	db, err := postgres.Open(t.Context(), pgtest.NewEmpty(t).URL+"&pool_max_conns=1", pgtest.Schema, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(t.Context()); err != nil {
		t.Error(err)
	}
}
