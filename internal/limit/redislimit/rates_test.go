package redislimit_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/garminlink/garminlink/internal/limit"
	"github.com/garminlink/garminlink/internal/limit/limittest"
	"github.com/garminlink/garminlink/internal/limit/redislimit"
	"github.com/garminlink/garminlink/internal/limit/redistest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var fivePerMinute = limit.Rate{Burst: 5, Per: time.Minute}

// A Redis that works takes less, however busy the machine.
const (
	patient   = 30 * time.Second
	impatient = 3 * time.Second
)

func open(t testing.TB, server *redistest.Server, installation string, patience time.Duration) *redislimit.Rates {
	t.Helper()
	var at redislimit.Address
	if err := at.UnmarshalText([]byte(server.URL)); err != nil {
		t.Fatal(err)
	}
	rates := redislimit.Open(at, installation, patience)
	t.Cleanup(func() {
		if err := rates.Close(); err != nil {
			t.Error(err)
		}
	})
	return rates
}

func TestRates(t *testing.T) {
	t.Parallel()
	limittest.TestRates(t, func(t *testing.T, behave func(*testing.T, limittest.Rates)) {
		server := redistest.New(t)
		behave(t, limittest.Rates{
			One:     open(t, server, "here", patient),
			Other:   open(t, server, "here", patient),
			Advance: func(d time.Duration) { server.Advance(t, d) },
		})
	})
}

func take(t *testing.T, rates limit.Rates) time.Duration {
	t.Helper()
	wait, err := rates.Take(t.Context(), "a", fivePerMinute)
	if err != nil {
		t.Fatal(err)
	}
	return wait
}

func TestInstallationsAreApart(t *testing.T) {
	t.Parallel()
	server := redistest.New(t)
	here, there := open(t, server, "here", patient), open(t, server, "there", patient)
	for range fivePerMinute.Burst {
		take(t, here)
	}
	if take(t, here) == 0 {
		t.Error("the burst has no end")
	}
	if wait := take(t, there); wait > 0 {
		t.Errorf("another installation waits %v", wait)
	}
}

// A user waits for Redis: he must not wait long for one that is gone, hangs, or
// never answered.
func TestFaultsComeQuickly(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(*redistest.Server, testing.TB){
		"gone":  (*redistest.Server).Kill,
		"hangs": (*redistest.Server).Hang,
	} {
		for _, used := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				server := redistest.New(t)
				rates := open(t, server, "here", impatient)
				if used {
					take(t, rates)
				}
				harm(server, t)
				begin := time.Now()
				if _, err := rates.Take(t.Context(), "a", fivePerMinute); err == nil {
					t.Error("there is no fault")
				}
				if took := time.Since(begin); took > 2*impatient {
					t.Errorf("the fault came after %v", took)
				}
			})
		}
	}
}

func TestCallersWhoLeaveAreTold(t *testing.T) {
	t.Parallel()
	rates := open(t, redistest.New(t), "here", patient)
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := rates.Take(gone, "a", fivePerMinute); !errors.Is(err, context.Canceled) {
		t.Errorf("one who left gets %v", err)
	}
}

// tokenRate is never used up by a benchmark: it measures those let through.
var tokenRate = limit.Rate{Burst: 1_000_000, Per: time.Second}

func BenchmarkTake(b *testing.B) {
	rates := open(b, redistest.New(b), "here", patient)
	b.Run("singly", func(b *testing.B) { limittest.Benchmark(b, rates, tokenRate) })
	b.Run("in blocks", func(b *testing.B) { limittest.Benchmark(b, limit.NewBlocks(rates), tokenRate) })
}
