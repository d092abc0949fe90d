// Package limit owns how often something may happen: rates, and cool-downs in
// which it may not happen at all. It does not own the counters, which all
// replicas share (see Limiter), nor what is limited: callers choose the keys.
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

// Limiter keeps rates and cool-downs for all replicas, by one clock. Keys hold
// no personal data: see Key.
type Limiter interface {
	// Take takes one from what r allows for key and returns 0, or takes
	// nothing and returns how long to wait until one may be taken.
	Take(ctx context.Context, key string, r Rate) (wait time.Duration, err error)

	// Cool starts a cool-down of key that lasts d. It never shortens one.
	Cool(ctx context.Context, key string, d time.Duration) error

	// Cooling returns how long the longest cool-down of keys still lasts; 0
	// if there is none.
	Cooling(ctx context.Context, keys ...string) (time.Duration, error)
}

// Key names what is counted for one person or place, such as the sign-ins of
// one address. The digest keeps addresses out of the database and its dumps in
// plain, but one who guesses an address can recognise it: a secret belongs in
// no key.
func Key(scope, of string) string {
	sum := sha256.Sum256([]byte(scope + "\x00" + of))
	return scope + "/" + hex.EncodeToString(sum[:16])
}
