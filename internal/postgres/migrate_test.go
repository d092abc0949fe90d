package postgres_test

import (
	"testing"

	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

func TestMigrationsGoForwardAndBack(t *testing.T) {
	t.Parallel()
	db := pgtest.NewEmpty(t)
	wantVersion := func(want int64) {
		t.Helper()
		if got, _, err := db.Versions(t.Context()); err != nil || got != want {
			t.Fatalf("Versions() = %d, %v; want %d", got, err, want)
		}
	}
	_, newest, err := db.Versions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantVersion(0)
	for range 2 {
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantVersion(newest)
		if err := db.MigrateDown(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		wantVersion(0)
		wantEmptySchema(t, db)
	}
}

// wantEmptySchema fails if the way back forgot something that the way forward
// made, goose's own table apart.
func wantEmptySchema(t *testing.T, db *pgtest.DB) {
	t.Helper()
	var left []string
	err := db.Pool.QueryRow(t.Context(), `
		SELECT coalesce(array_agg(name), '{}') FROM (
			SELECT relname::text FROM pg_class WHERE relnamespace = 'garminlink'::regnamespace
			UNION SELECT proname::text FROM pg_proc WHERE pronamespace = 'garminlink'::regnamespace
			UNION SELECT typname::text FROM pg_type WHERE typnamespace = 'garminlink'::regnamespace
		) AS made (name) WHERE name NOT LIKE '%goose_db_version%'`).Scan(&left)
	if err != nil || len(left) > 0 {
		t.Errorf("left after migrating down: %v, %v", left, err)
	}
}

func TestReplicasThatMigrateTogetherAllSucceed(t *testing.T) {
	t.Parallel()
	db := pgtest.NewEmpty(t)
	done := make(chan error)
	for range 3 {
		go func() { done <- db.Migrate(t.Context()) }()
	}
	for range 3 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// The former release has days of records, and writes on meanwhile.
func TestRecordsOfTheFormerReleaseGetTheirIndex(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	if err := db.MigrateDown(t.Context(), 9); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"SELECT turn_link_activity()",
		"CREATE TABLE link_activity_20200101 PARTITION OF link_activity FOR VALUES FROM ('2020-01-01Z') TO ('2020-01-02Z')",
		`INSERT INTO link_activity (at, user_id, request_id, what, flow, region, op, outcome, status, type, took)
			SELECT at, gen_random_uuid(), 'r', 'checkout', 'garth', 'garmin.com', '', '', 0, '', interval '0'
			FROM unnest(ARRAY['2020-01-01 12:00Z', app_now()]) AS at`,
	} {
		if _, err := db.Pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // there again and back
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := count(t, db, "SELECT count(*) FROM pg_index WHERE indexrelid = 'link_activity_at'::regclass AND indisvalid"); n != 1 {
			t.Error("not each day has its index")
		}
		if n := count(t, db, "SELECT count(*) FROM link_activity"); n != 2 {
			t.Errorf("%d records are left", n)
		}
		if err := db.MigrateDown(t.Context(), 9); err != nil {
			t.Fatal(err)
		}
	}
}
