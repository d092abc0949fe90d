package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/notify"
)

// Mails keeps notices by mail; it implements notify.MailStore.
type Mails struct{ pool *pgxpool.Pool }

// NewMails returns the notices in db.
func NewMails(db *DB) *Mails { return &Mails{db.Pool} }

// MailCursor implements notify.MailStore.
func (m *Mails) MailCursor(ctx context.Context) (event int64, err error) {
	err = m.pool.QueryRow(ctx, "SELECT event_id FROM mail_cursor").Scan(&event)
	return event, orDown(ctx, err)
}

// QueueMails implements notify.MailStore. Whoever moves the cursor holds its row
// until his notices stand.
func (m *Mails) QueueMails(ctx context.Context, from int64, happened []link.Happening, external bool, fresh time.Duration) error {
	var events []int64
	for _, h := range happened {
		events = append(events, h.ID)
	}
	err := pgx.BeginFunc(ctx, m.pool, func(tx pgx.Tx) error {
		moved, err := tx.Exec(ctx, "UPDATE mail_cursor SET event_id = $2 WHERE event_id = $1", from, events[len(events)-1])
		if err != nil || moved.RowsAffected() == 0 {
			return err
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO mail_notices (user_id, event_id, type)
			SELECT e.user_id, e.id, e.type FROM link_events e JOIN users u ON u.id = e.user_id
			WHERE e.id = ANY ($1) AND e.created_at > app_now() - make_interval(secs => $2)
				AND u.email IS NOT NULL AND NOT u.no_mail AND (u.external_id IS NULL OR $3)
			ON CONFLICT DO NOTHING`, events, fresh.Seconds(), external)
		return err
	})
	return orDown(ctx, err)
}

// mailDue is a condition on a notice n.
const mailDue = `n.state = 'waiting' AND n.next_attempt_at <= app_now() AND (n.lease_until IS NULL OR n.lease_until < app_now())
	AND NOT EXISTS (SELECT FROM mail_cursor WHERE paused_until > app_now())`

// DueMails implements notify.MailStore.
func (m *Mails) DueMails(ctx context.Context, most int) (due int, err error) {
	err = m.pool.QueryRow(ctx, "SELECT count(*) FROM (SELECT FROM mail_notices n WHERE "+mailDue+" LIMIT $1) AS these", most).Scan(&due)
	return due, orDown(ctx, err)
}

type mailRow struct {
	UserID     uuid.UUID
	EventID    int64
	Attempts   int
	Failures   int
	Type       string
	Reason     *string
	EndsAt     *time.Time
	CreatedAt  time.Time
	Now        time.Time
	Email      *string
	ExternalID *string
	Wanted     bool
	Language   string
}

func (r mailRow) claimed() notify.ClaimedMail {
	return notify.ClaimedMail{
		User: r.UserID, Event: r.EventID, Number: r.Attempts, Failures: r.Failures, Wanted: r.Wanted,
		Type: link.EventType(r.Type), Reason: link.Reason(value(r.Reason)), EndsAt: value(r.EndsAt), At: r.CreatedAt, Now: r.Now,
		Address: value(r.Email), OfHost: r.ExternalID != nil, Language: r.Language,
	}
}

// ClaimMail implements notify.MailStore.
func (m *Mails) ClaimMail(ctx context.Context, lease time.Duration, external bool) (notify.ClaimedMail, error) {
	rows, err := m.pool.Query(ctx, `
		WITH chosen AS (
			SELECT user_id, event_id FROM mail_notices n WHERE `+mailDue+`
			ORDER BY n.next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED),
		claimed AS (
			UPDATE mail_notices n SET attempts = attempts + 1, lease_until = app_now() + make_interval(secs => $1)
			FROM chosen c WHERE n.user_id = c.user_id AND n.event_id = c.event_id
			RETURNING n.user_id, n.event_id, n.attempts, n.failures)
		SELECT n.user_id, n.event_id, n.attempts, n.failures, e.type, e.reason, e.ends_at, e.created_at, app_now() AS now,
			u.email, u.external_id, coalesce(nullif(u.language, ''), nullif(u.spoken, ''), (
				SELECT c.locale FROM connect_sessions c WHERE c.user_id = u.id AND c.locale <> '' ORDER BY c.created_at DESC LIMIT 1), '') AS language,
			u.email IS NOT NULL AND NOT u.no_mail AND (u.external_id IS NULL OR $2) AND NOT EXISTS (
				SELECT FROM link_events l WHERE l.user_id = n.user_id AND l.id > n.event_id AND l.type IS NOT NULL) AS wanted
		FROM claimed n JOIN link_events e ON e.id = n.event_id JOIN users u ON u.id = n.user_id`, lease.Seconds(), external)
	if err != nil {
		return notify.ClaimedMail{}, orDown(ctx, err)
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[mailRow])
	if errors.Is(err, pgx.ErrNoRows) {
		return notify.ClaimedMail{}, notify.ErrNotFound
	}
	return row.claimed(), orDown(ctx, err)
}

// SettleMail implements notify.MailStore.
func (m *Mails) SettleMail(ctx context.Context, n notify.ClaimedMail, v notify.MailVerdict) error {
	_, err := m.pool.Exec(ctx, `
		WITH paused AS (
			UPDATE mail_cursor SET paused_until = app_now() + make_interval(secs => @pause) WHERE @pause > 0)
		UPDATE mail_notices
		SET state = @state, error = @error, lease_until = NULL, failures = failures + CAST(@failed AS integer),
			next_attempt_at = app_now() + make_interval(secs => @wait),
			ended_at = CASE WHEN @state <> 'waiting' THEN app_now() END
		WHERE user_id = @user AND event_id = @event AND attempts = @number AND state = 'waiting'`,
		pgx.NamedArgs{
			"user": n.User, "event": n.Event, "number": n.Number, "state": string(v.State), "error": null(v.Error),
			"failed": count(v.Failed), "wait": v.Wait.Seconds(), "pause": v.Pause.Seconds(),
		})
	return orDown(ctx, err)
}

// MailBacklog implements notify.MailStore.
func (m *Mails) MailBacklog(ctx context.Context) (waiting int, oldest time.Duration, err error) {
	var seconds float64
	err = m.pool.QueryRow(ctx, `
		SELECT count(*), coalesce(extract(epoch FROM app_now() - min(created_at)), 0)::float8
		FROM mail_notices WHERE state = 'waiting'`).Scan(&waiting, &seconds)
	return waiting, time.Duration(seconds * float64(time.Second)), orDown(ctx, err)
}

// CleanMails implements notify.MailStore.
func (m *Mails) CleanMails(ctx context.Context, keep time.Duration) error {
	_, err := m.pool.Exec(ctx, `
		DELETE FROM mail_notices WHERE (user_id, event_id) IN (
			SELECT user_id, event_id FROM mail_notices WHERE created_at < app_now() - make_interval(secs => $1)
			ORDER BY created_at LIMIT 10000 FOR UPDATE SKIP LOCKED)`, keep.Seconds())
	return orDown(ctx, err)
}
