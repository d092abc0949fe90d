package postgres_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

// What the statement of a check-out costs, and what of that is ours.
func BenchmarkCheckOut(b *testing.B) {
	db := pgtest.New(b)
	seedLinks(b, db, 1000)
	user := freshLink(b, db)
	store := postgres.NewLinks(db.DB)
	act := link.Act{User: user, By: link.ByWorker, Token: uuid.New(), RequestID: "bench"}
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			lent, err := store.CheckOut(context.Background(), act, link.CheckOut{Format: link.Garth, MinLife: 15 * time.Minute})
			if err != nil || !lent.Given {
				b.Fatalf("%+v, %v", lent, err)
			}
		}
	})
}

// freshLink makes one of the links fresh, with a session as long as real ones.
func freshLink(b *testing.B, db *pgtest.DB) (user uuid.UUID) {
	b.Helper()
	err := db.Pool.QueryRow(context.Background(), `
		UPDATE garmin_authentication_states SET session_expires_at = now() + interval '20 hours', session_data = $1
		WHERE user_id = (SELECT min(user_id::text)::uuid FROM garmin_authentication_states) RETURNING user_id`,
		bytes.Repeat([]byte("s"), 4000)).Scan(&user)
	if err != nil {
		b.Fatal(err)
	}
	return user
}

// What a page of a listing costs as links grow in number: it reads an index
// from where it begins to where the page ends.
func BenchmarkLinks(b *testing.B) {
	for _, links := range []int{10_000, 100_000} {
		db := pgtest.New(b)
		seedLinks(b, db, links)
		spread := `UPDATE garmin_authentication_states SET updated_at = now() - random() * interval '30 days'`
		end := `UPDATE garmin_authentication_states SET session_data = NULL, generation = NULL, reason = 'grant_refused'
			WHERE user_id IN (SELECT user_id FROM garmin_authentication_states ORDER BY random() LIMIT 500)`
		for _, statement := range []string{spread, end, "VACUUM ANALYZE garmin_authentication_states", "ANALYZE users"} {
			if _, err := db.Pool.Exec(context.Background(), statement); err != nil {
				b.Fatal(err)
			}
		}
		for state, index := range map[string]string{
			"": "garmin_by_change", "active": "garmin_by_change", "reauth_needed": "garmin_updated_idle", "mfa_pending": "garmin_updated_idle",
		} {
			b.Run(fmt.Sprintf("%d/%s", links, state), func(b *testing.B) { listPages(b, db, state, index) })
		}
	}
}

func listPages(b *testing.B, db *pgtest.DB, state, index string) {
	b.Helper()
	store := postgres.NewLinks(db.DB)
	q := link.Query{State: state, UpdatedAfter: time.Now().Add(-15 * 24 * time.Hour), Most: 100}
	plan := explain(b, db, postgres.LinksQuery(state), time.Hour.Seconds(), q.UpdatedAfter, uuid.Max, q.Most)
	if !strings.Contains(plan, " "+index+" ") || strings.Contains(plan, "Seq Scan on garmin_auth") {
		b.Fatalf("the plan is\n%s", plan)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := store.Links(context.Background(), q, time.Hour); err != nil {
			b.Fatal(err)
		}
	}
}
