// Package limit owns how often something may happen: rates, and cool-downs in
// which it may not happen at all. It does not own the counters that all
// replicas share (see Rates and CoolDowns), nor what is limited: callers choose
// the keys.
//
// Blocks makes a rate cheap that is taken from very often. Fallback lets users
// go on when the shared counters cannot be reached.
package limit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Rate allows Burst at once, and Burst within each Per in the long run. Both
// must be positive.
type Rate struct {
	Burst int
	Per   time.Duration
}

// Interval is the time after which one more may be taken.
func (r Rate) Interval() time.Duration { return r.Per / time.Duration(r.Burst) }

// Rates counts what was taken. Keys hold no personal data: see Key.
type Rates interface {
	// Take takes one from what r allows for key and returns 0, or takes
	// nothing and returns how long to wait until one may be taken. A key has
	// one rate.
	Take(ctx context.Context, key string, r Rate) (wait time.Duration, err error)
}

// CoolDowns keeps what may not be done for a while.
type CoolDowns interface {
	// Cool starts a cool-down of key that lasts d. It never shortens one.
	Cool(ctx context.Context, key string, d time.Duration) error

	// Cooling returns how long the longest cool-down of keys still lasts; 0
	// if there is none.
	Cooling(ctx context.Context, keys ...string) (time.Duration, error)
}

// Limiter keeps rates and cool-downs for all replicas, by one clock each.
type Limiter interface {
	Rates
	CoolDowns
}

// Both is a Limiter made of two. A rate that is lost lets a little too much
// pass once; a cool-down that is lost has us ask Garmin in the hour that it
// forbade. So rates may be kept where they are cheap, and cool-downs, which are
// rare, where nothing is lost and where operators look for them.
type Both struct {
	Rates
	CoolDowns
}

// Key names what is counted for one person or place, such as the sign-ins of
// one address. The digest keeps addresses out of the counters and their dumps
// in plain, but one who guesses an address can recognise it: a secret belongs
// in no key.
func Key(scope, of string) string {
	sum := sha256.Sum256([]byte(scope + "\x00" + of))
	return scope + "/" + hex.EncodeToString(sum[:16])
}
