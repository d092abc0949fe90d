package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/notify"
)

// Cursor implements notify.Store.
func (w *Webhooks) Cursor(ctx context.Context) (event int64, err error) {
	err = w.pool.QueryRow(ctx, "SELECT event_id FROM webhook_cursor").Scan(&event)
	return event, orDown(ctx, err)
}

// Queue implements notify.Store. Whoever moves the cursor holds its row until
// his deliveries stand.
func (w *Webhooks) Queue(ctx context.Context, from, to int64, deliveries []notify.Delivery) error {
	err := pgx.BeginFunc(ctx, w.pool, func(tx pgx.Tx) error {
		moved, err := tx.Exec(ctx, "UPDATE webhook_cursor SET event_id = $2 WHERE event_id = $1", from, to)
		if err != nil || moved.RowsAffected() == 0 {
			return err
		}
		c := columnsOf(deliveries)
		_, err = tx.Exec(ctx, `
			INSERT INTO webhook_deliveries (id, endpoint_id, event_id, user_id, type, body, state)
			SELECT d.id, e.id, d.event, d.user_id, d.type, d.body, d.state
			FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::text[], $6::text[], $7::text[])
				AS d (id, endpoint, event, user_id, type, body, state)
			JOIN webhook_endpoints e ON e.id = d.endpoint AND e.disabled_at IS NULL AND e.tells_after < d.event
			FOR KEY SHARE OF e`, c.ids, c.endpoints, c.events, c.users, c.types, c.bodies, c.states)
		return err
	})
	return orDown(ctx, err)
}

// deliveryColumns are deliveries, turned by a quarter.
type deliveryColumns struct {
	ids, endpoints, users []uuid.UUID
	events                []int64
	types                 []link.EventType
	bodies                []string
	states                []notify.State
}

func columnsOf(deliveries []notify.Delivery) (c deliveryColumns) {
	for _, d := range deliveries {
		c.ids, c.endpoints, c.users = append(c.ids, d.ID), append(c.endpoints, d.Endpoint), append(c.users, d.User)
		c.events, c.types = append(c.events, d.Event), append(c.types, d.Type)
		c.bodies, c.states = append(c.bodies, d.Body), append(c.states, d.State)
	}
	return c
}

// Conditions on a delivery d and its endpoint e.
const (
	unclaimed = "(d.lease_until IS NULL OR d.lease_until < app_now())"

	// first: no earlier one of the same link to the same endpoint waits.
	first = `NOT EXISTS (
		SELECT FROM webhook_deliveries f
		WHERE f.endpoint_id = d.endpoint_id AND f.user_id = d.user_id AND f.state = 'waiting' AND f.event_id < d.event_id)`

	dueNow = "d.state = 'waiting' AND d.next_attempt_at <= app_now() AND " + unclaimed + " AND " + first

	open = "e.disabled_at IS NULL AND (e.paused_until IS NULL OR e.paused_until <= app_now())"
)

// Due implements notify.Store.
func (w *Webhooks) Due(ctx context.Context, most int) ([]notify.Due, error) {
	rows, err := w.pool.Query(ctx, `
		SELECT e.id, n.due FROM webhook_endpoints e CROSS JOIN LATERAL (
			SELECT count(*) AS due FROM (
				SELECT FROM webhook_deliveries d WHERE d.endpoint_id = e.id AND `+dueNow+` LIMIT $1) AS these) AS n
		WHERE `+open+` AND n.due > 0`, most)
	if err != nil {
		return nil, orDown(ctx, err)
	}
	due, err := pgx.CollectRows(rows, pgx.RowToStructByPos[notify.Due])
	return due, orDown(ctx, err)
}

// Claim implements notify.Store.
func (w *Webhooks) Claim(ctx context.Context, endpoint uuid.UUID, lease time.Duration) (notify.Claimed, error) {
	c, err := w.claim(ctx, "d.endpoint_id = $1 AND "+dueNow+" AND "+open, endpoint, lease)
	if errors.Is(err, pgx.ErrNoRows) {
		return notify.Claimed{}, notify.ErrNotFound
	}
	return c, orDown(ctx, err)
}

// ClaimOne implements notify.Store.
func (w *Webhooks) ClaimOne(ctx context.Context, delivery uuid.UUID, lease time.Duration) (notify.Claimed, error) {
	c, err := w.claim(ctx, "d.id = $1 AND e.disabled_at IS NULL AND "+unclaimed+" AND (d.state <> 'waiting' OR "+first+")", delivery, lease)
	if errors.Is(err, pgx.ErrNoRows) {
		return notify.Claimed{}, w.whyUnclaimed(ctx, delivery)
	}
	return c, orDown(ctx, err)
}

func (w *Webhooks) whyUnclaimed(ctx context.Context, delivery uuid.UUID) error {
	var enabled bool
	err := w.pool.QueryRow(ctx, `
		SELECT e.disabled_at IS NULL FROM webhook_deliveries d JOIN webhook_endpoints e ON e.id = d.endpoint_id
		WHERE d.id = $1`, delivery).Scan(&enabled)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return notify.ErrNotFound
	case err != nil:
		return orDown(ctx, err)
	case !enabled:
		return notify.ErrDisabled
	default:
		return notify.ErrBusy
	}
}

type claimedRow struct {
	ID           uuid.UUID
	EndpointID   uuid.UUID
	EventID      *int64
	UserID       *uuid.UUID
	Type         string
	Body         string
	State        string
	Attempts     int
	Failures     int
	Attempt      int64
	URL          string
	Now          time.Time
	Secret       []byte
	KeyID        int64
	FormerSecret []byte
	FormerKeyID  int64
}

// claim takes one delivery for which condition holds, the longest due of them.
func (w *Webhooks) claim(ctx context.Context, condition string, id uuid.UUID, lease time.Duration) (notify.Claimed, error) {
	rows, err := w.pool.Query(ctx, `
		WITH chosen AS (
			SELECT d.id, e.url, e.secret, e.key_id, e.former_secret, e.former_key_id, e.former_until
			FROM webhook_deliveries d JOIN webhook_endpoints e ON e.id = d.endpoint_id
			WHERE `+condition+`
			ORDER BY d.next_attempt_at LIMIT 1
			FOR UPDATE OF d SKIP LOCKED),
		claimed AS (
			UPDATE webhook_deliveries d SET attempts = attempts + 1, lease_until = app_now() + make_interval(secs => $2)
			FROM chosen c WHERE d.id = c.id
			RETURNING d.id, d.endpoint_id, d.event_id, d.user_id, d.type, d.body, d.state, d.attempts, d.failures,
				c.url, c.secret, c.key_id,
				CASE WHEN c.former_until > app_now() THEN c.former_secret END AS former_secret,
				coalesce(c.former_key_id, 0) AS former_key_id),
		attempt AS (INSERT INTO webhook_attempts (delivery_id) SELECT id FROM claimed RETURNING id)
		SELECT claimed.*, attempt.id AS attempt, app_now() AS now FROM claimed, attempt`, id, lease.Seconds())
	if err != nil {
		return notify.Claimed{}, err
	}
	r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[claimedRow])
	return r.claimed(), err
}

func (r claimedRow) claimed() notify.Claimed {
	return notify.Claimed{
		Delivery: notify.Delivery{
			ID: r.ID, Endpoint: r.EndpointID, Event: value(r.EventID), User: value(r.UserID),
			Type: link.EventType(r.Type), Body: r.Body, State: notify.State(r.State),
		},
		Number: r.Attempts, Failures: r.Failures, Attempt: r.Attempt, URL: r.URL, At: r.Now,
		Secret: sealed(r.Secret, r.KeyID), Former: sealed(r.FormerSecret, r.FormerKeyID),
	}
}

// Settle implements notify.Store. What waits behind a delivery becomes due with
// it: first keeps the order anyway, but would have to look at each of them again
// and again. The row of an endpoint is written only if that says something new.
func (w *Webhooks) Settle(ctx context.Context, c notify.Claimed, a notify.Answer, v notify.Verdict) error {
	var line *uuid.UUID // of one that did not wait, none
	if c.State == notify.Waiting {
		line = &c.User
	}
	_, err := w.pool.Exec(ctx, `
		WITH attempt AS (
			UPDATE webhook_attempts SET took = make_interval(secs => @took), status = @status, error = @error
			WHERE id = @attempt),
		delivery AS (
			UPDATE webhook_deliveries
			SET state = @state, lease_until = NULL, next_attempt_at = app_now() + make_interval(secs => @wait),
				failures = failures + CAST(@failed AS integer),
				ended_at = CASE WHEN @state = 'waiting' THEN NULL WHEN @state = state THEN ended_at ELSE app_now() END
			WHERE id = @id AND attempts = @number
			RETURNING id),
		line AS (
			UPDATE webhook_deliveries SET next_attempt_at = app_now() + make_interval(secs => @wait)
			WHERE endpoint_id = @endpoint AND user_id = @user AND state = 'waiting' AND event_id > @event
				AND (@wait > 0 OR next_attempt_at > app_now())
				AND EXISTS (SELECT FROM delivery))
		UPDATE webhook_endpoints
		SET last_success_at = CASE WHEN @taken THEN app_now() ELSE last_success_at END,
			failing_since = CASE WHEN @taken THEN NULL WHEN @failed = 1 THEN coalesce(failing_since, app_now()) ELSE failing_since END,
			paused_until = CASE WHEN @pause > 0 THEN app_now() + make_interval(secs => @pause) ELSE paused_until END,
			disabled_at = CASE WHEN @gone THEN coalesce(disabled_at, app_now()) ELSE disabled_at END,
			disabled_reason = CASE WHEN @gone THEN coalesce(disabled_reason, @why) ELSE disabled_reason END
		WHERE id = @endpoint AND (
			@taken AND (failing_since IS NOT NULL OR last_success_at IS NULL OR last_success_at < app_now() - interval '1 minute')
			OR @failed = 1 AND failing_since IS NULL OR @pause > 0 OR @gone)`,
		pgx.NamedArgs{
			"attempt": c.Attempt, "took": a.Took.Seconds(), "status": null(a.Status), "error": null(a.Error),
			"id": c.ID, "number": c.Number, "state": string(v.State), "wait": v.Wait.Seconds(),
			"user": line, "event": c.Event, "endpoint": c.Endpoint, "taken": a.Error == "", "failed": count(a.Error != "" && !v.Ours),
			"pause": v.Pause.Seconds(), "gone": v.Gone, "why": string(notify.ByGone),
		})
	return orDown(ctx, err)
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

// Backlog implements notify.Store.
func (w *Webhooks) Backlog(ctx context.Context) (waiting int, oldest time.Duration, err error) {
	var seconds float64
	err = w.pool.QueryRow(ctx, `
		SELECT count(*), coalesce(extract(epoch FROM app_now() - min(d.created_at)), 0)::float8
		FROM webhook_deliveries d JOIN webhook_endpoints e ON e.id = d.endpoint_id
		WHERE d.state = 'waiting' AND e.disabled_at IS NULL`).Scan(&waiting, &seconds)
	return waiting, time.Duration(seconds * float64(time.Second)), orDown(ctx, err)
}
