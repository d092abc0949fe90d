package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/limit"
	"github.com/garminlink/garminlink/internal/limit/limittest"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

func TestRates(t *testing.T) {
	t.Parallel()
	limittest.TestRates(t, func(t *testing.T, behave func(*testing.T, limittest.Rates)) {
		db := pgtest.New(t)
		behave(t, limittest.Rates{
			One:     postgres.NewLimits(db.Gorm),
			Other:   postgres.NewLimits(db.Gorm),
			Advance: func(d time.Duration) { db.Advance(t, d) },
		})
	})
}

func TestCoolDowns(t *testing.T) {
	t.Parallel()
	limittest.TestCoolDowns(t, func(t *testing.T, behave func(*testing.T, limittest.CoolDowns)) {
		db := pgtest.New(t)
		behave(t, limittest.CoolDowns{
			One:     postgres.NewLimits(db.Gorm),
			Other:   postgres.NewLimits(db.Gorm),
			Advance: func(d time.Duration) { db.Advance(t, d) },
		})
	})
}

func TestWhatIsOverIsRemoved(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	limits := postgres.NewLimits(db.Gorm)
	take := func(key string) {
		t.Helper()
		if _, err := limits.Take(t.Context(), key, limit.Rate{Burst: 5, Per: time.Minute}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 50 {
		take(fmt.Sprint("old", i))
		if err := limits.Cool(t.Context(), fmt.Sprint("old", i), time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	db.Advance(t, time.Hour)
	for range 200 {
		take("new")
	}
	var rates, coolDowns int
	err := db.Pool.QueryRow(t.Context(),
		"SELECT (SELECT count(*) FROM rate_limits), (SELECT count(*) FROM cool_downs)").Scan(&rates, &coolDowns)
	if err != nil {
		t.Fatal(err)
	}
	if rates != 1 || coolDowns != 0 {
		t.Errorf("%d rates and %d cool-downs are left, of one that counts", rates, coolDowns)
	}
}

// One token is asked for in all the ways that programs have: one by one, and in
// blocks.
func BenchmarkTake(b *testing.B) {
	limits := postgres.NewLimits(pgtest.New(b).Gorm)
	b.Run("singly", func(b *testing.B) { limittest.Benchmark(b, limits, tokenRate) })
	b.Run("in blocks", func(b *testing.B) { limittest.Benchmark(b, limit.NewBlocks(limits), tokenRate) })
}

// tokenRate is never used up by a benchmark: it measures those let through.
var tokenRate = limit.Rate{Burst: 1_000_000, Per: time.Second}
