package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

// What a look for due links costs as links grow in number: it reads the index
// alone, and only as much of it as is due.
func BenchmarkDue(b *testing.B) {
	for _, links := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(links), func(b *testing.B) {
			db := pgtest.New(b)
			seedLinks(b, db, links)
			store := postgres.NewLinks(db.DB)
			if plan := explain(b, db, dueQuery); !strings.Contains(plan, "Index Only Scan using garmin_due") {
				b.Fatalf("the plan is\n%s", plan)
			}
			b.ReportAllocs()
			for b.Loop() {
				users, err := store.Due(context.Background(), 100)
				if err != nil || len(users) != 100 {
					b.Fatalf("%d users, %v", len(users), err)
				}
			}
		})
	}
}

// seedLinks makes links whose checks are spread over a day, of which a tenth
// are due.
func seedLinks(b *testing.B, db *pgtest.DB, links int) {
	b.Helper()
	for _, statement := range []string{
		`INSERT INTO users (id, external_id, role) SELECT gen_random_uuid(), 'u' || i, 'user' FROM generate_series(1, $1::int) i`,
		`INSERT INTO garmin_authentication_states (user_id, session_data, last_validated, region, garmin_email, garmin_guid,
				generation, key_id, session_expires_at, next_check_at)
			SELECT id, sha256(id::text::bytea), now(), 'garmin.com', '', id::text, row_number() OVER (), 1, now(),
				now() + (random() * 1.0 - 0.1) * interval '1 day'
			FROM users LIMIT $1`,
	} {
		if _, err := db.Pool.Exec(context.Background(), statement, links); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := db.Pool.Exec(context.Background(), "VACUUM ANALYZE garmin_authentication_states"); err != nil {
		b.Fatal(err)
	}
}

const dueQuery = `
	SELECT user_id FROM garmin_authentication_states
	WHERE session_data IS NOT NULL AND next_check_at <= app_now()
	ORDER BY next_check_at LIMIT 100`

func explain(b *testing.B, db *pgtest.DB, query string, args ...any) string {
	b.Helper()
	rows, err := db.Pool.Query(context.Background(), "EXPLAIN (ANALYZE, BUFFERS) "+query, args...)
	if err != nil {
		b.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		b.Fatal(err)
	}
	return strings.Join(lines, "\n")
}
