package link_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/limit"
	"github.com/google/uuid"
)

// How many due links one replica validates against the simulation, by as many
// at once as a worker has, with a budget that is not in the way.
func BenchmarkCheck(b *testing.B) {
	w := newWorld(b)
	w.links = w.replicaWithin(limit.Rate{Burst: 1_000_000, Per: time.Second}, w.options())
	users := w.crowd(64)
	checked, before := 0, busy(w)
	for b.Loop() {
		w.exec("UPDATE garmin_authentication_states SET next_check_at = app_now()")
		w.checkAll(b, users)
		checked += len(users)
	}
	b.ReportMetric(float64(checked)/b.Elapsed().Seconds(), "links/s")
	b.ReportMetric((busy(w)-before)/float64(checked), "database-ms/link")
}

// busy is how many milliseconds the database has worked on statements, as far
// as its connections have reported, which they do about once a second.
func busy(w *world) float64 {
	return one[float64](w, "SELECT active_time FROM pg_stat_database WHERE datname = current_database()")
}

func (w *world) checkAll(b *testing.B, users []uuid.UUID) {
	b.Helper()
	var all sync.WaitGroup
	next := make(chan uuid.UUID)
	for range 10 {
		all.Go(func() {
			for user := range next {
				if err := w.links.Check(context.Background(), w.job(user)); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for _, user := range users {
		next <- user
	}
	close(next)
	all.Wait()
}
