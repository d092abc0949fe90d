package main

import (
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/garminlink/garminlink/internal/limit"
	"github.com/garminlink/garminlink/internal/limit/redislimit"
	"github.com/garminlink/garminlink/internal/postgres"
)

// Limits says where rates are counted, and how often programs may ask.
type Limits struct {
	RedisURL               redislimit.Address `env:"REDIS_URL"` // none: in the database
	TokenRequestsPerMinute tokenRate          `env:"TOKEN_REQUESTS_PER_MINUTE" envDefault:"6000"`
}

// tokenRate is in requests per minute.
type tokenRate int

func (r *tokenRate) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 || n > 1_000_000 {
		return fmt.Errorf("%q is not a number from 1 to 1000000", text)
	}
	*r = tokenRate(n)
	return nil
}

// rate is how often all replicas together answer one service token.
func (r tokenRate) rate() limit.Rate { return limit.Rate{Burst: int(r), Per: time.Minute} }

// redisPatience is how long a user waits for Redis before this process counts
// alone. The tests of this program lengthen it.
var redisPatience = 200 * time.Millisecond

// openLimits returns the limits that all replicas share. Those of a login and
// its codes are not among them: they stand in the rows that they protect.
func (s *site) openLimits(l Limits, log *slog.Logger) limit.Limiter {
	kept := postgres.NewLimits(s.db.Gorm)
	if l.RedisURL.IsZero() {
		return kept
	}
	s.redis = redislimit.Open(l.RedisURL, s.vault.Installation(), redisPatience)
	s.rates = limit.NewFallback(s.redis, log)
	s.metrics.watchRedis(s.rates.Shared)
	return limit.Both{Rates: s.rates, CoolDowns: kept}
}
