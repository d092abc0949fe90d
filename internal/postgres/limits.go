package postgres

import (
	"context"
	"sync/atomic"
	"time"

	"gorm.io/gorm"

	"github.com/garminlink/garminlink/internal/limit"
)

// Limits counts rates and cool-downs; it implements limit.Limiter.
type Limits struct {
	db    *gorm.DB
	takes atomic.Uint64
}

// NewLimits returns the limits in db.
func NewLimits(db *gorm.DB) *Limits { return &Limits{db: db} }

// Take implements limit.Limiter by the generic cell rate algorithm (ITU-T
// I.371): arrival is when the key would have room for its whole burst again,
// and one that comes more than a burst before that has to wait.
//
// The statement cannot see a row that another replica wrote while it waited
// for that row's lock. Such a one is refused all the same; it is told the
// longest that a refusal can last.
func (l *Limits) Take(ctx context.Context, key string, r limit.Rate) (time.Duration, error) {
	interval := r.Interval()
	early := r.Per - interval
	var wait int64
	err := l.db.WithContext(ctx).Raw(`
		WITH taken AS (
			INSERT INTO rate_limits AS l (key, arrival)
			VALUES (@key, app_now() + @interval * interval '1 microsecond')
			ON CONFLICT (key) DO UPDATE
			SET arrival = greatest(l.arrival, app_now()) + @interval * interval '1 microsecond'
			WHERE l.arrival <= app_now() + @early * interval '1 microsecond'
			RETURNING 1),
		refused AS (
			SELECT ceil(extract(epoch FROM arrival - app_now()) * 1000000)::bigint - @early AS wait
			FROM rate_limits WHERE key = @key)
		SELECT CASE
			WHEN EXISTS (SELECT FROM taken) THEN 0
			ELSE coalesce((SELECT wait FROM refused WHERE wait > 0), @interval) END`,
		map[string]any{"key": key, "interval": interval.Microseconds(), "early": early.Microseconds()},
	).Scan(&wait).Error
	if err != nil {
		return 0, orDown(ctx, err)
	}
	if l.takes.Add(1)%sweepEvery != 0 {
		return time.Duration(wait) * time.Microsecond, nil
	}
	return time.Duration(wait) * time.Microsecond, l.sweep(ctx, `DELETE FROM rate_limits WHERE key IN (
		SELECT key FROM rate_limits WHERE arrival < app_now() LIMIT ? FOR UPDATE SKIP LOCKED)`)
}

// Cool implements limit.Limiter. It removes what is over by itself: where rates
// are kept elsewhere, nothing is ever taken here.
func (l *Limits) Cool(ctx context.Context, key string, d time.Duration) error {
	err := l.db.WithContext(ctx).Exec(`
		INSERT INTO cool_downs AS c (key, until)
		VALUES (?, app_now() + ? * interval '1 microsecond')
		ON CONFLICT (key) DO UPDATE SET until = greatest(c.until, excluded.until)`,
		key, d.Microseconds()).Error
	if err != nil {
		return orDown(ctx, err)
	}
	return l.sweep(ctx, `DELETE FROM cool_downs WHERE key IN (
		SELECT key FROM cool_downs WHERE until < app_now() LIMIT ? FOR UPDATE SKIP LOCKED)`)
}

// Cooling implements limit.Limiter.
func (l *Limits) Cooling(ctx context.Context, keys ...string) (time.Duration, error) {
	var left int64
	err := l.db.WithContext(ctx).Raw(`
		SELECT coalesce(ceil(extract(epoch FROM max(until) - app_now()) * 1000000), 0)::bigint
		FROM cool_downs WHERE key IN ? AND until > app_now()`, keys).Scan(&left).Error
	return time.Duration(left) * time.Microsecond, orDown(ctx, err)
}

// What is over says no more than a missing row. Every so many takes, and every
// cool-down, remove more of it than they can have added, so the tables hold
// little else than what still counts, and reading through them stays cheap.
const (
	sweepEvery = 200
	sweepMost  = 1000
)

// sweep passes over rows that others hold: it never waits, and two sweeps
// cannot deadlock.
func (l *Limits) sweep(ctx context.Context, statement string) error {
	return orDown(ctx, l.db.WithContext(ctx).Exec(statement, sweepMost).Error)
}
