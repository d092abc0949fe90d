package limit_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/garminlink/garminlink/internal/limit"
	"github.com/garminlink/garminlink/internal/limit/limittest"
)

func TestFallbackCountsInTheSharedRates(t *testing.T) {
	t.Parallel()
	limittest.TestRates(t, local(func(l limit.Rates) limit.Rates { return newFallback(l) }))
}

func TestFallbackCountsAloneInAnOutage(t *testing.T) {
	t.Parallel()
	limittest.TestRates(t, local(func(l limit.Rates) limit.Rates {
		return newFallback(&counted{Rates: l, fault: errors.New("no Redis")})
	}))
}

func newFallback(shared limit.Rates) *limit.Fallback {
	return limit.NewFallback(shared, slog.New(slog.DiscardHandler))
}

func TestOutageIsAskedAboutOnceASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := &counted{Rates: limit.NewLocal(), fault: errors.New("no Redis")}
		f := newFallback(shared)
		for range 10_000 {
			mustTake(t, f, "a", hundredPerSecond)
			time.Sleep(time.Millisecond)
		}
		if asked := shared.asked.Load(); asked != 10 {
			t.Errorf("in ten seconds of outage the shared rates were asked %d times", asked)
		}
		shared.fault = nil
		time.Sleep(time.Second)
		mustTake(t, f, "a", hundredPerSecond)
		if !f.Shared() {
			t.Error("the outage has no end")
		}
	})
}

// Of many who ask at once, some may be answered while others wait in vain.
func TestAnswersFromBeforeATurnAreOfThePast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		late := make(chan struct{})
		shared := &counted{Rates: limit.NewLocal(), gate: func(key string) {
			if key == "late" {
				<-late
			}
		}}
		f := newFallback(shared)
		var asking sync.WaitGroup
		asking.Go(func() { mustTake(t, f, "late", fivePerMinute) })
		synctest.Wait()
		shared.fault = errors.New("no Redis")
		mustTake(t, f, "a", fivePerMinute)
		shared.fault = nil
		close(late)
		asking.Wait()
		if f.Shared() {
			t.Error("what was asked before the outage has ended it")
		}
		time.Sleep(time.Second)
		mustTake(t, f, "a", fivePerMinute)
		if !f.Shared() {
			t.Error("what is asked in the outage does not end it")
		}
	})
}

// Who closes his browser must not have all others counted alone.
func TestCallerWhoLeavesIsNoOutage(t *testing.T) {
	t.Parallel()
	f := newFallback(&counted{Rates: limit.NewLocal(), fault: context.Canceled})
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := f.Take(gone, "a", fivePerMinute); !errors.Is(err, context.Canceled) {
		t.Errorf("he gets %v", err)
	}
	if !f.Shared() {
		t.Error("it is taken for an outage")
	}
}

// full is counters that are kept, and of which none can be changed: a Redis
// without memory, or one that has become a copy of another.
type full struct{ usedUp string }

func (f full) Take(_ context.Context, key string, _ limit.Rate) (time.Duration, error) {
	if key == f.usedUp {
		return time.Hour, nil
	}
	return 0, errors.New("OOM command not allowed")
}

// To refuse, counters need not count.
func TestRefusalsDoNotEndAnOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFallback(full{usedUp: "thief"})
		for range 5 {
			mustTake(t, f, "a", fivePerMinute)
			time.Sleep(time.Second)
			mustTake(t, f, "thief", fivePerMinute)
			if f.Shared() {
				t.Fatal("a refusal has ended the outage")
			}
		}
	})
}
