// Package redislimit keeps rates in Redis. It owns how Redis is asked, and how
// long it may take. It does not own what happens when it fails (see
// limit.Fallback), and keeps no cool-downs: those must outlive a Redis that
// forgets (see limit.Both).
package redislimit

import (
	"context"
	"fmt"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/garminlink/garminlink/internal/limit"
)

const dialTime = 5 * time.Second

// Rates counts in Redis, by Redis's clock; it implements limit.Rates.
type Rates struct {
	client   *redis.Client
	limiter  *redis_rate.Limiter
	prefix   string
	patience time.Duration
}

// Open returns rates at an address, which it does not ask yet. Those of another
// installation in the same Redis are apart. Patience is how long Redis may take
// each time: a user waits for it. Open silences go-redis's own log in
// this process: whatever fails comes back as an error, and is told once.
func Open(at Address, installation string, patience time.Duration) *Rates {
	logging.Disable()
	options := *at.options
	// A connection is made behind the back of who waits for it, for the next to
	// find: with TLS, and from afar, that takes longer than he waits.
	options.DialTimeout = dialTime
	options.ReadTimeout, options.WriteTimeout, options.PoolTimeout = patience, patience, patience
	options.DisableIdentity = true // saves a round trip
	options.ContextTimeoutEnabled = true
	options.MaxRetries, options.DialerRetries = -1, 1 // none, and one attempt
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	client := redis.NewClient(&options)
	return &Rates{
		client:   client,
		limiter:  redis_rate.NewLimiter(client),
		prefix:   "garminlink/" + installation + "/",
		patience: patience,
	}
}

// Close ends the connections.
func (r *Rates) Close() error { return r.client.Close() }

// Take implements limit.Rates. It fails within patience.
func (r *Rates) Take(ctx context.Context, key string, rate limit.Rate) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, r.patience)
	defer cancel()
	result, err := r.limiter.Allow(ctx, r.prefix+key, redis_rate.Limit{Rate: rate.Burst, Burst: rate.Burst, Period: rate.Per})
	if err != nil {
		return 0, fmt.Errorf("redis: %w", err)
	}
	if result.Allowed > 0 {
		return 0, nil
	}
	// Redis counts in parts of seconds: a wait may round to none.
	return max(result.RetryAfter, time.Microsecond), nil
}
