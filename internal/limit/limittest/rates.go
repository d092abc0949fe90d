// Package limittest holds what every keeper of limits must do, so that all of
// them pass the same tests. It owns no keeper.
package limittest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/limit"
)

// Rates are two replicas' views of the same counters, and the clock by which
// those are kept.
type Rates struct {
	One, Other limit.Rates
	Advance    func(d time.Duration)
}

// TestRates shows that rates behave. The function run makes new ones and calls
// behave with them, once for each behaviour.
func TestRates(t *testing.T, run func(t *testing.T, behave func(*testing.T, Rates))) {
	for name, behave := range map[string]func(*testing.T, Rates){
		"the burst is allowed, and then the rate":   burstThenRate,
		"a refusal takes nothing":                   refusalTakesNothing,
		"rest gives no more than the burst":         restGivesTheBurst,
		"the rate holds in the long run":            longRun,
		"keys are apart":                            keysApart,
		"replicas share":                            replicasShare,
		"takers at once never get more":             takersAtOnce,
		"nor do those who take from blocks":         blocksAtOnce,
		"a rate of one is a pause between two":      rateOfOne,
		"a short interval is waited for truthfully": shortInterval,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, behave)
		})
	}
}

var fivePerMinute = limit.Rate{Burst: 5, Per: time.Minute}

// slack is for what keepers cannot tell apart, such as parts of a microsecond.
const slack = time.Millisecond

func take(t testing.TB, rates limit.Rates, key string, r limit.Rate) time.Duration {
	t.Helper()
	wait, err := rates.Take(t.Context(), key, r)
	if err != nil {
		t.Fatal(err)
	}
	if wait < 0 || wait > r.Interval()+slack {
		t.Errorf("a take of %v waits %v", r, wait)
	}
	return wait
}

// drain takes until there is no more and returns how many it took.
func drain(t testing.TB, rates limit.Rates, key string, r limit.Rate) (taken int, wait time.Duration) {
	t.Helper()
	for {
		if wait = take(t, rates, key, r); wait > 0 {
			return taken, wait
		}
		if taken++; taken > 10*r.Burst {
			t.Fatalf("%d takes of %v, and no end", taken, r)
		}
	}
}

func wantTaken(t testing.TB, what string, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %d were taken, want %d", what, got, want)
	}
}

func burstThenRate(t *testing.T, r Rates) {
	n, wait := drain(t, r.One, "a", fivePerMinute)
	wantTaken(t, "at once", n, 5)
	r.Advance(wait + slack)
	n, _ = drain(t, r.One, "a", fivePerMinute)
	wantTaken(t, "after the wait", n, 1)
}

func refusalTakesNothing(t *testing.T, r Rates) {
	_, first := drain(t, r.One, "a", fivePerMinute)
	for range 10 {
		if again := take(t, r.One, "a", fivePerMinute); again > first {
			t.Fatalf("the wait grew from %v to %v", first, again)
		}
	}
}

func restGivesTheBurst(t *testing.T, r Rates) {
	drain(t, r.One, "a", fivePerMinute)
	r.Advance(time.Hour)
	n, _ := drain(t, r.One, "a", fivePerMinute)
	wantTaken(t, "after an hour", n, 5)
}

func longRun(t *testing.T, r Rates) {
	total, _ := drain(t, r.One, "a", fivePerMinute)
	for range 30 {
		r.Advance(fivePerMinute.Per / 10)
		n, _ := drain(t, r.One, "a", fivePerMinute)
		total += n
	}
	wantTaken(t, "in three minutes and the burst before them", total, 20)
}

func keysApart(t *testing.T, r Rates) {
	drain(t, r.One, "a", fivePerMinute)
	for _, other := range []string{"b", "A", "a/", "a b", ""} {
		n, _ := drain(t, r.One, other, fivePerMinute)
		wantTaken(t, fmt.Sprintf("of %q", other), n, 5)
	}
}

func replicasShare(t *testing.T, r Rates) {
	for range 3 {
		take(t, r.One, "a", fivePerMinute)
	}
	n, wait := drain(t, r.Other, "a", fivePerMinute)
	wantTaken(t, "by the other", n, 2)
	r.Advance(wait + slack)
	n, _ = drain(t, r.One, "a", fivePerMinute)
	wantTaken(t, "after the wait", n, 1)
	n, _ = drain(t, r.Other, "a", fivePerMinute)
	wantTaken(t, "by the one who came second", n, 0)
}

func takersAtOnce(t *testing.T, r Rates) {
	var taken atomic.Int32
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			wait, err := []limit.Rates{r.One, r.Other}[i%2].Take(t.Context(), "a", fivePerMinute)
			switch {
			case err != nil:
				t.Error(err)
			case wait == 0:
				taken.Add(1)
			case wait < 0 || wait > fivePerMinute.Interval():
				t.Errorf("a refused one waits %v", wait)
			}
		})
	}
	all.Wait()
	wantTaken(t, "by forty at once", int(taken.Load()), 5)
}

func blocksAtOnce(t *testing.T, r Rates) {
	rate := limit.Rate{Burst: 600, Per: time.Hour} // in blocks of 6
	one, other := limit.NewBlocks(r.One), limit.NewBlocks(r.Other)
	var taken atomic.Int32
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			for {
				wait, err := []limit.Rates{one, other}[i%2].Take(t.Context(), "a", rate)
				if err != nil {
					t.Error(err)
				}
				if err != nil || wait > 0 {
					return
				}
				taken.Add(1)
			}
		})
	}
	all.Wait()
	wantTaken(t, "by forty, until there is no more", int(taken.Load()), 600)
}

func rateOfOne(t *testing.T, r Rates) {
	rate := limit.Rate{Burst: 1, Per: time.Hour}
	n, wait := drain(t, r.One, "a", rate)
	wantTaken(t, "at once", n, 1)
	if wait < 59*time.Minute {
		t.Errorf("the second waits %v of an hour", wait)
	}
	r.Advance(wait - time.Minute)
	n, _ = drain(t, r.One, "a", rate)
	wantTaken(t, "a minute before the hour is over", n, 0)
	r.Advance(time.Minute + slack)
	n, _ = drain(t, r.One, "a", rate)
	wantTaken(t, "when the hour is over", n, 1)
}

// shortInterval leaves the clock alone: it waits as a caller would.
func shortInterval(t *testing.T, r Rates) {
	rate := limit.Rate{Burst: 2, Per: 100 * time.Millisecond}
	begin := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for taken := 0; taken < 5; {
		wait, err := r.One.Take(ctx, "a", rate)
		if err != nil {
			t.Fatal(err)
		}
		if wait == 0 {
			taken++
			continue
		}
		<-time.After(wait)
	}
	if took := time.Since(begin); took < 3*rate.Interval()-slack {
		t.Errorf("five of %v were taken within %v", rate, took)
	}
}

// Benchmark takes from one key for ever, as those who are let through and those
// who are refused do.
func Benchmark(b *testing.B, rates limit.Rates, r limit.Rate) {
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := rates.Take(context.Background(), "a", r); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
