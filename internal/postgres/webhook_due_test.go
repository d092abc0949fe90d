package postgres_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/notify"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

// Every two seconds somebody looks for what can be sent: that must not go
// through all that an endpoint which has failed for long has waiting.
func TestLookForDueDeliveriesReadsAnIndex(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	fillDeliveries(t, db)
	if plan := explain(t, db, postgres.DueDeliveriesQuery, 4); strings.Contains(plan, "Seq Scan on webhook_deliveries") {
		t.Errorf("the plan is\n%s", plan)
	}
}

func TestLogOfAnEndpointReadsAnIndex(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	quiet := fillDeliveries(t, db)
	for _, endpoint := range []*uuid.UUID{nil, &quiet} {
		plan := explain(t, db, postgres.LogQuery, endpoint, nil, false, 50)
		if strings.Contains(plan, "Seq Scan on webhook_deliveries") || thrownAway.MatchString(plan) {
			t.Errorf("of %v, the plan is\n%s", endpoint, plan)
		}
	}
}

// fillDeliveries has one endpoint that has had all of its messages, and then one
// that takes none. It returns the first.
func fillDeliveries(t *testing.T, db *pgtest.DB) (quiet uuid.UUID) {
	t.Helper()
	for _, e := range []struct{ state, wait string }{{"delivered", "-1 hour"}, {"waiting", "1 hour"}} {
		id := uuid.Must(uuid.NewV7())
		if quiet == uuid.Nil {
			quiet = id
		}
		if err := postgres.NewWebhooks(db.DB).AddEndpoint(t.Context(), notify.Endpoint{ID: id, URL: "https://example.com/"},
			link.Sealed{KeyID: 1, Ciphertext: []byte("sealed")}); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Pool.Exec(t.Context(), `
			INSERT INTO webhook_deliveries (id, endpoint_id, event_id, user_id, type, body, state, ended_at, next_attempt_at)
			SELECT gen_random_uuid(), $1, i, gen_random_uuid(), 'link.active', repeat('x', 300), $2,
				CASE WHEN $2 = 'delivered' THEN now() END, now() + CAST($3 AS interval)
			FROM generate_series(1, 20000) i`, id, e.state, e.wait); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Pool.Exec(t.Context(), "ANALYZE webhook_deliveries"); err != nil {
		t.Fatal(err)
	}
	return quiet
}
