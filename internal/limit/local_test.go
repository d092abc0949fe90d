package limit_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/garminlink/garminlink/internal/limit"
	"github.com/garminlink/garminlink/internal/limit/limittest"
)

var fivePerMinute = limit.Rate{Burst: 5, Per: time.Minute}

// local runs a behaviour by a clock of its own, which sleeping moves.
func local(view func(limit.Rates) limit.Rates) func(*testing.T, func(*testing.T, limittest.Rates)) {
	return func(t *testing.T, behave func(*testing.T, limittest.Rates)) {
		synctest.Test(t, func(t *testing.T) {
			one := view(limit.NewLocal())
			behave(t, limittest.Rates{One: one, Other: one, Advance: time.Sleep})
		})
	}
}

func TestLocalRates(t *testing.T) {
	t.Parallel()
	limittest.TestRates(t, local(func(l limit.Rates) limit.Rates { return l }))
}

// Somebody who makes up keys must not fill the memory.
func TestLocalRatesForgetWhatWasNotUsedForLongest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := limit.NewLocal()
		take := func(key string) time.Duration {
			wait, err := l.Take(t.Context(), key, limit.Rate{Burst: 1, Per: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			return wait
		}
		take("first")
		for i := range limit.MostKeys - 1 {
			take(fmt.Sprint(i))
		}
		if take("first") == 0 {
			t.Error("one that fits was forgotten")
		}
		take("one too many")
		if take("0") > 0 {
			t.Error("nothing was forgotten")
		}
	})
}

func BenchmarkLocal(b *testing.B) {
	limittest.Benchmark(b, limit.NewLocal(), limit.Rate{Burst: 6000, Per: time.Minute})
}
