package postgres_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/limit"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

var fivePerMinute = limit.Rate{Burst: 5, Per: time.Minute}

func take(t *testing.T, l limit.Limiter, key string) time.Duration {
	t.Helper()
	wait, err := l.Take(t.Context(), key, fivePerMinute)
	if err != nil {
		t.Fatal(err)
	}
	return wait
}

func TestTakeAllowsTheBurstAndThenTheRate(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	limits := postgres.NewLimits(db.Gorm)
	for i := range fivePerMinute.Burst {
		if wait := take(t, limits, "a"); wait != 0 {
			t.Fatalf("take %d waits %v", i+1, wait)
		}
	}
	wait := take(t, limits, "a")
	if wait <= 0 || wait > 12*time.Second {
		t.Fatalf("one over the burst waits %v", wait)
	}
	if again := take(t, limits, "a"); again > wait {
		t.Errorf("a refusal took something: the wait grew from %v to %v", wait, again)
	}
	if wait := take(t, limits, "b"); wait != 0 {
		t.Errorf("another key waits %v", wait)
	}
	db.Advance(t, wait)
	if wait := take(t, limits, "a"); wait != 0 {
		t.Errorf("after the wait it still waits %v", wait)
	}
	if take(t, limits, "a") == 0 {
		t.Error("one interval gave room for two")
	}
	db.Advance(t, time.Hour)
	for range fivePerMinute.Burst {
		take(t, limits, "a")
	}
	if take(t, limits, "a") == 0 {
		t.Error("an hour of rest gave room for more than the burst")
	}
}

func TestTakeHoldsAmongReplicas(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	replicas := []*postgres.Limits{postgres.NewLimits(db.Gorm), postgres.NewLimits(db.Gorm)}
	var taken atomic.Int32
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			wait, err := replicas[i%2].Take(t.Context(), "a", fivePerMinute)
			switch {
			case err != nil:
				t.Error(err)
			case wait == 0:
				taken.Add(1)
			case wait < 0 || wait > 12*time.Second:
				t.Errorf("a refused one waits %v", wait)
			}
		})
	}
	all.Wait()
	if taken.Load() != 5 {
		t.Errorf("%d took, of a burst of 5", taken.Load())
	}
}

func TestCoolDownsEndAndAreNeverShortened(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	limits := postgres.NewLimits(db.Gorm)
	cooling := func(keys ...string) time.Duration {
		t.Helper()
		left, err := limits.Cooling(t.Context(), keys...)
		if err != nil {
			t.Fatal(err)
		}
		return left.Round(time.Minute)
	}
	for _, c := range []struct {
		key  string
		last time.Duration
	}{{"a", time.Hour}, {"a", time.Minute}, {"b", 2 * time.Hour}} {
		if err := limits.Cool(t.Context(), c.key, c.last); err != nil {
			t.Fatal(err)
		}
	}
	if left := cooling("a"); left != time.Hour {
		t.Errorf("a shorter cool-down left %v of an hour", left)
	}
	if left := cooling("a", "b", "c"); left != 2*time.Hour {
		t.Errorf("the longest of several is %v", left)
	}
	if left := cooling("c"); left != 0 {
		t.Errorf("a key without a cool-down cools for %v", left)
	}
	db.Advance(t, 90*time.Minute)
	if left := cooling("a"); left != 0 {
		t.Errorf("a cool-down that is over lasts another %v", left)
	}
}

func TestWhatIsOverIsRemoved(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	limits := postgres.NewLimits(db.Gorm)
	for i := range 50 {
		take(t, limits, fmt.Sprint("old", i))
		if err := limits.Cool(t.Context(), fmt.Sprint("old", i), time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	db.Advance(t, time.Hour)
	for range 200 {
		take(t, limits, "new")
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
