package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Due implements link.Store, from the index alone.
func (p *Links) Due(ctx context.Context, most int) ([]uuid.UUID, error) {
	var users []uuid.UUID
	err := p.db.WithContext(ctx).Raw(`
		SELECT user_id FROM garmin_authentication_states
		WHERE session_data IS NOT NULL AND next_check_at <= app_now()
		ORDER BY next_check_at LIMIT ?`, most).Scan(&users).Error
	return users, linkError(ctx, err)
}

// Lapsed implements link.Store. What is claimed is not over yet.
func (p *Links) Lapsed(ctx context.Context, most int) ([]uuid.UUID, error) {
	var users []uuid.UUID
	err := p.db.WithContext(ctx).Raw(`
		SELECT user_id FROM garmin_challenges
		WHERE expires_at <= app_now() AND (claimed_until IS NULL OR claimed_until <= app_now())
		UNION SELECT user_id FROM garmin_candidates WHERE expires_at <= app_now()
		LIMIT ?`, most).Scan(&users).Error
	return users, linkError(ctx, err)
}

// Postpone implements link.Store.
func (p *Links) Postpone(ctx context.Context, user uuid.UUID, generation int64, wait time.Duration) error {
	return linkError(ctx, p.db.WithContext(ctx).Exec(`
		UPDATE garmin_authentication_states
		SET next_check_at = greatest(next_check_at, app_now() + make_interval(secs => ?))
		WHERE user_id = ? AND generation = ?`, wait.Seconds(), user, generation).Error)
}

// CountDead implements link.Store.
func (p *Links) CountDead(ctx context.Context, within time.Duration) (alive, dead int, err error) {
	err = p.db.WithContext(ctx).Exec(`
		INSERT INTO link_verdicts AS v (minute, dead) VALUES (date_trunc('minute', app_now()), 1)
		ON CONFLICT (minute) DO UPDATE SET dead = v.dead + 1`).Error
	if err != nil {
		return 0, 0, linkError(ctx, err)
	}
	return p.Verdicts(ctx, within)
}

// Verdicts counts the sessions that were found alive and dead within a time.
func (p *Links) Verdicts(ctx context.Context, within time.Duration) (alive, dead int, err error) {
	var sum struct{ Alive, Dead int }
	err = p.db.WithContext(ctx).Raw(`
		SELECT coalesce(sum(alive), 0) AS alive, coalesce(sum(dead), 0) AS dead
		FROM link_verdicts WHERE minute > app_now() - make_interval(secs => ?)`, within.Seconds()).Scan(&sum).Error
	return sum.Alive, sum.Dead, linkError(ctx, err)
}

// Refused implements link.Store: links whose grant was refused, or whose tokens
// the API has refused for hours.
func (p *Links) Refused(ctx context.Context, within time.Duration) (alive, refused int, err error) {
	if alive, _, err = p.Verdicts(ctx, within); err != nil {
		return 0, 0, err
	}
	err = p.db.WithContext(ctx).Raw(`
		SELECT count(*) FROM garmin_authentication_states
		WHERE greatest(grant_refused_at, api_refused_at) > app_now() - make_interval(secs => @within)
			AND (grant_refused_at > app_now() - make_interval(secs => @within) OR api_refused_since <= app_now() - interval '3 hours')`,
		map[string]any{"within": within.Seconds()}).Scan(&refused).Error
	return alive, refused, linkError(ctx, err)
}

// Clean implements link.Store. Each statement takes a bounded number of rows,
// and passes over those that others hold.
func (p *Links) Clean(ctx context.Context) error {
	for _, statement := range []string{
		`DELETE FROM sign_ins WHERE id IN (
			SELECT id FROM sign_ins WHERE expires_at < app_now() LIMIT 10000 FOR UPDATE SKIP LOCKED)`,
		`DELETE FROM sessions WHERE token IN (
			SELECT token FROM sessions WHERE expiry < now() LIMIT 10000 FOR UPDATE SKIP LOCKED)`,
		`DELETE FROM garmin_login_attempts WHERE id IN (
			SELECT id FROM garmin_login_attempts WHERE started_at < app_now() - interval '48 hours' LIMIT 10000 FOR UPDATE SKIP LOCKED)`,
		`DELETE FROM connect_sessions WHERE id IN (
			SELECT id FROM connect_sessions WHERE created_at < app_now() - interval '7 days' LIMIT 10000 FOR UPDATE SKIP LOCKED)`,
		`DELETE FROM link_verdicts WHERE minute < app_now() - interval '1 day'`,
		`SELECT turn_link_activity()`,
	} {
		if err := p.db.WithContext(ctx).Exec(statement).Error; err != nil {
			return linkError(ctx, err)
		}
	}
	return nil
}
