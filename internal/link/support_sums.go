package link

import (
	"context"
	"time"
)

// DayCount is how many links stood in a state when the day was counted last.
type DayCount struct {
	Day       time.Time // its midnight, UTC
	State     string
	Reason    Reason
	Links     int
	CountedAt time.Time
}

// HourSum is how often something was done within an hour, and came out so.
type HourSum struct {
	Hour    time.Time
	What    string // of an Activity, or Verdict
	Flow    string
	Region  string
	Outcome string // "" for success
	Times   int
	Took    Took
}

// What an HourSum is of that is no Activity: sessions found alive, or dead.
const (
	Verdict     = "verdict"
	VerdictDead = "dead" // its outcome
)

// tookBounds lie between the counts of a Took. Rows that were summed up by them
// stay for a month: change none, without a thought for those.
var tookBounds = []time.Duration{
	50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond,
	1600 * time.Millisecond, 3200 * time.Millisecond, 6400 * time.Millisecond, 12800 * time.Millisecond, 60 * time.Second,
}

// Took is how many things took how long: less than the first of the bounds, less
// than the second, and so on.
type Took []int64

// Add adds the counts of another.
func (t Took) Add(other Took) Took {
	sum := make(Took, len(tookBounds)+1)
	for i := range sum {
		if i < len(t) {
			sum[i] += t[i]
		}
		if i < len(other) {
			sum[i] += other[i]
		}
	}
	return sum
}

// Share is how long a share of them took at most, between 0 and 1, read off as
// if those between two bounds lay evenly; what lies beyond the last counts as
// the last. It is zero for none.
func (t Took) Share(share float64) time.Duration {
	var all, below float64
	for _, n := range t {
		all += float64(n)
	}
	if all == 0 {
		return 0
	}
	var from time.Duration
	for i, to := range tookBounds[:min(len(t), len(tookBounds))] {
		if n := float64(t[i]); n > 0 && below+n >= share*all {
			return from + time.Duration((share*all-below)/n*float64(to-from))
		}
		below += float64(t[i])
		from = to
	}
	return from
}

// Daily lists how many links stood in which state, as SupportStore does.
func (s *Service) Daily(ctx context.Context, days int) ([]DayCount, error) {
	return s.store.Daily(ctx, days)
}

// Hourly lists what was done in each hour, as SupportStore does.
func (s *Service) Hourly(ctx context.Context, within time.Duration) ([]HourSum, error) {
	return s.store.Hourly(ctx, within)
}

// CountLinks counts links by state, so that nobody who looks has to.
func (s *Service) CountLinks(ctx context.Context) error { return s.store.CountLinks(ctx) }

// SumActivity sums up what was done, by the hour. It may come at any time, and
// twice.
func (s *Service) SumActivity(ctx context.Context) error {
	return s.store.SumActivity(ctx, tookBounds)
}
