package notify

import (
	"math/rand/v2"
	"time"
)

// waits are how long to wait after each failure of a delivery, about a day in
// all: after one more it is given up.
var waits = []time.Duration{
	5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 8 * time.Hour,
}

const (
	// jitter keeps what failed together from coming back together, as a share
	// of the wait, either way.
	jitter = 0.1

	// longestPause bounds what an endpoint can ask for with Retry-After.
	longestPause = time.Hour
)

// waitAfter is how long to wait after so many failures; false: give up.
func waitAfter(failures int) (time.Duration, bool) {
	if failures > len(waits) {
		return 0, false
	}
	wait := waits[failures-1]
	return wait + time.Duration((2*rand.Float64()-1)*jitter*float64(wait)), true
}
