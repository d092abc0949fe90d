package limit

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// mostKeys bounds the memory of a process: some 10 MB in the worst case. What
// was not used for longest is forgotten first.
const mostKeys = 50_000

// Local counts for this process alone, by its clock, and forgets with it.
type Local struct {
	mu       sync.Mutex
	arrivals *simplelru.LRU[string, time.Time]
}

// NewLocal returns rates of which nothing is taken yet.
func NewLocal() *Local { return &Local{arrivals: newLRU[time.Time]()} }

// Take implements Rates by the generic cell rate algorithm (ITU-T I.371):
// arrival is when the key would have room for its whole burst again. It never
// fails.
func (l *Local) Take(_ context.Context, key string, r Rate) (time.Duration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	arrival, _ := l.arrivals.Get(key)
	if arrival.Before(now) {
		arrival = now
	}
	if wait := arrival.Sub(now) - (r.Per - r.Interval()); wait > 0 {
		return wait, nil
	}
	l.arrivals.Add(key, arrival.Add(r.Interval()))
	return 0, nil
}

func newLRU[T any]() *simplelru.LRU[string, T] {
	lru, err := simplelru.NewLRU[string, T](mostKeys, nil)
	if err != nil {
		panic(err) // the size is no positive number
	}
	return lru
}
