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

func TestRatesThatAreOverAreRemoved(t *testing.T) {
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
	}
	db.Advance(t, time.Hour)
	for range 200 {
		take("new")
	}
	if n := count(t, db, "SELECT count(*) FROM rate_limits"); n != 1 {
		t.Errorf("%d rates are left, of one that counts", n)
	}
}

// Where Redis keeps the rates, nobody takes anything here.
func TestCoolDownsThatAreOverAreRemoved(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	limits := postgres.NewLimits(db.Gorm)
	cool := func(key string) {
		t.Helper()
		if err := limits.Cool(t.Context(), key, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 50 {
		cool(fmt.Sprint("old", i))
	}
	db.Advance(t, time.Hour)
	cool("new")
	if n := count(t, db, "SELECT count(*) FROM cool_downs"); n != 1 {
		t.Errorf("%d cool-downs are left, of one that counts", n)
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
