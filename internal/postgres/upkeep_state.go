package postgres

import (
	"context"
	"time"

	"github.com/garminlink/garminlink/internal/link"
)

// Backlog tells how many links are due for a check, and for how long the
// longest is. It reads the index alone.
func (p *Links) Backlog(ctx context.Context) (due int, overdue time.Duration, err error) {
	var sum struct {
		Due     int
		Seconds float64
	}
	err = p.db.WithContext(ctx).Raw(`
		SELECT count(*) AS due, coalesce(extract(epoch FROM app_now() - min(next_check_at)), 0) AS seconds
		FROM garmin_authentication_states
		WHERE session_data IS NOT NULL AND next_check_at <= app_now()`).Scan(&sum).Error
	return sum.Due, time.Duration(sum.Seconds * float64(time.Second)), linkError(ctx, err)
}

// CoolDowns implements link.Store.
func (p *Links) CoolDowns(ctx context.Context, prefix string) ([]link.CoolDown, error) {
	return p.coolDowns(ctx, "starts_with(key, ?)", prefix)
}

// CoolDownsOf implements link.Store.
func (p *Links) CoolDownsOf(ctx context.Context, keys []string) ([]link.CoolDown, error) {
	return p.coolDowns(ctx, "key IN ?", keys)
}

func (p *Links) coolDowns(ctx context.Context, which string, value any) ([]link.CoolDown, error) {
	var rows []link.CoolDown
	err := p.db.WithContext(ctx).Raw(`
		SELECT key, until, (extract(epoch FROM until - app_now()) * 1000000000)::bigint AS "left"
		FROM cool_downs WHERE `+which+` AND until > app_now() ORDER BY key`, value).Scan(&rows).Error
	return rows, linkError(ctx, err)
}
