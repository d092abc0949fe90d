package limit_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/garminlink/garminlink/internal/limit"
	"github.com/garminlink/garminlink/internal/limit/limittest"
)

// hundredPerSecond is taken in blocks of 60.
var hundredPerSecond = limit.Rate{Burst: 6000, Per: time.Minute}

// counted counts what is asked of the shared rates, and can hold it up.
type counted struct {
	limit.Rates
	asked atomic.Int32
	gate  func(key string)
	fault error
}

func (c *counted) Take(ctx context.Context, key string, r limit.Rate) (time.Duration, error) {
	c.asked.Add(1)
	if c.gate != nil {
		c.gate(key)
	}
	if c.fault != nil {
		return 0, c.fault
	}
	return c.Rates.Take(ctx, key, r)
}

func replicas(n int) (shared *counted, each []*limit.Blocks) {
	shared = &counted{Rates: limit.NewLocal()}
	for range n {
		each = append(each, limit.NewBlocks(shared))
	}
	return shared, each
}

func mustTake(t *testing.T, r limit.Rates, key string, rate limit.Rate) time.Duration {
	t.Helper()
	wait, err := r.Take(t.Context(), key, rate)
	if err != nil {
		t.Fatal(err)
	}
	return wait
}

func TestSmallRatesAreNotCutIntoBlocks(t *testing.T) {
	t.Parallel()
	limittest.TestRates(t, local(func(l limit.Rates) limit.Rates { return limit.NewBlocks(l) }))
}

// A token that is used a thousand times a second costs no thousand statements,
// whether it is let through or not.
func TestBlocksAskSeldom(t *testing.T) {
	t.Parallel()
	for name, rate := range map[string]limit.Rate{
		"below the rate":     {Burst: 120_000, Per: time.Minute},
		"far above the rate": hundredPerSecond,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				shared, each := replicas(1)
				for range 60_000 {
					mustTake(t, each[0], "a", rate)
					time.Sleep(time.Millisecond)
				}
				// A burst has 100 blocks, a minute another 100; each is asked
				// for once more when it is refused.
				if asked := shared.asked.Load(); asked > 310 {
					t.Errorf("60 000 takes in a minute asked %d times", asked)
				}
			})
		})
	}
}

// Whatever the replicas do, no more passes in a time than the rate allows, and
// a block for each of them.
func TestBlocksHoldOverReplicas(t *testing.T) {
	t.Parallel()
	const many, block = 3, 60
	synctest.Test(t, func(t *testing.T) {
		_, each := replicas(many)
		var passed []time.Time
		for i := range 100_000 {
			if mustTake(t, each[i*7%many], "a", hundredPerSecond) == 0 {
				passed = append(passed, time.Now())
			}
			if i%1000 == 999 {
				time.Sleep(time.Duration(i%7) * time.Second) // unevenly
			}
		}
		for begin := 0; begin < len(passed); begin += 50 {
			for end := begin; end < len(passed); end += 500 {
				took := passed[end].Sub(passed[begin])
				most := hundredPerSecond.Burst + int(took/hundredPerSecond.Interval()) + many*block
				if end-begin+1 > most {
					t.Fatalf("%d passed in %v, want at most %d", end-begin+1, took, most)
				}
			}
		}
	})
}

// One that took a block and then idles keeps no more than that from others.
func TestIdleReplicaStarvesNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, each := replicas(2)
		mustTake(t, each[0], "a", hundredPerSecond)
		taken := 0
		for mustTake(t, each[1], "a", hundredPerSecond) == 0 {
			taken++
		}
		if taken != 5940 {
			t.Errorf("the other took %d of 6000, of which one replica holds 60", taken)
		}
		time.Sleep(hundredPerSecond.Per)
		for taken = 0; mustTake(t, each[1], "a", hundredPerSecond) == 0; taken++ {
		}
		if taken != 6000 {
			t.Errorf("a minute later it took %d of 6000", taken)
		}
		if mustTake(t, each[0], "a", hundredPerSecond) == 0 {
			t.Error("what the idle one held outlived a minute")
		}
	})
}

func TestBlocksLoseNothingOfARateThatDoesNotDivide(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, each := replicas(1)
		odd := limit.Rate{Burst: 299, Per: time.Minute} // in blocks of 2
		taken := 0
		for end := time.Now().Add(10 * time.Minute); time.Now().Before(end); {
			if wait := mustTake(t, each[0], "a", odd); wait > 0 {
				time.Sleep(wait)
				continue
			}
			taken++
		}
		if taken < 298+2985 || taken > 299+2990 {
			t.Errorf("%d passed in ten minutes of 299 each, and a burst", taken)
		}
	})
}

func TestTakersOfOneKeyAskForOneBlock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared, each := replicas(1)
		release := make(chan struct{})
		shared.gate = func(key string) {
			if key == "slow" {
				<-release
			}
		}
		var all sync.WaitGroup
		for range 60 {
			all.Go(func() {
				if wait := mustTake(t, each[0], "slow", hundredPerSecond); wait > 0 {
					t.Errorf("one of a block's takers waits %v", wait)
				}
			})
		}
		synctest.Wait()
		mustTake(t, each[0], "other", hundredPerSecond) // held up by nobody
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := each[0].Take(impatient, "slow", hundredPerSecond); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("one who leaves while others are served gets %v", err)
		}
		close(release)
		all.Wait()
		if asked := shared.asked.Load(); asked != 2 {
			t.Errorf("60 takers of one key and one of another asked %d times", asked)
		}
	})
}

func TestBlocksPassFaultsOnAndTryAgain(t *testing.T) {
	t.Parallel()
	shared, each := replicas(1)
	shared.fault = errors.New("no database")
	if _, err := each[0].Take(t.Context(), "a", hundredPerSecond); !errors.Is(err, shared.fault) {
		t.Errorf("a fault becomes %v", err)
	}
	shared.fault = nil
	if wait := mustTake(t, each[0], "a", hundredPerSecond); wait > 0 {
		t.Errorf("after the fault it waits %v", wait)
	}
}

func BenchmarkBlocksOfLocal(b *testing.B) {
	limittest.Benchmark(b, limit.NewBlocks(limit.NewLocal()), hundredPerSecond)
}
