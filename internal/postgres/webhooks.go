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

// Webhooks keeps endpoints and deliveries; it implements notify.Store. It
// speaks of arrays, and so to the pool.
type Webhooks struct{ pool *pgxpool.Pool }

// NewWebhooks returns the webhooks in db.
func NewWebhooks(db *DB) *Webhooks { return &Webhooks{db.Pool} }

// lastEvent is the newest that is committed: all with lower ids are, too.
const lastEvent = "(SELECT coalesce(max(id), 0) FROM link_events)"

// AddEndpoint implements notify.Store.
func (w *Webhooks) AddEndpoint(ctx context.Context, e notify.Endpoint, secret link.Sealed) error {
	_, err := w.pool.Exec(ctx, `
		INSERT INTO webhook_endpoints (id, url, events, secret, key_id, tells_after)
		VALUES ($1, $2, $3, $4, $5, `+lastEvent+`)`,
		e.ID, e.URL, append([]link.EventType{}, e.Events...), secret.Ciphertext, int64(secret.KeyID))
	return orDown(ctx, err)
}

type endpointRow struct {
	ID             uuid.UUID
	URL            string
	Events         []link.EventType
	CreatedAt      time.Time
	DisabledAt     *time.Time
	DisabledReason *string
	FormerUntil    *time.Time
	PausedUntil    *time.Time
	LastSuccessAt  *time.Time
	FailingSince   *time.Time
	Waiting        int
}

func (r endpointRow) endpoint() notify.Endpoint {
	return notify.Endpoint{
		ID: r.ID, URL: r.URL, Events: r.Events, CreatedAt: r.CreatedAt,
		DisabledAt: value(r.DisabledAt), Disabled: notify.Disabling(value(r.DisabledReason)),
		FormerUntil: value(r.FormerUntil), PausedUntil: value(r.PausedUntil),
		LastSuccess: value(r.LastSuccessAt), FailingSince: value(r.FailingSince), Waiting: r.Waiting,
	}
}

// Endpoints implements notify.Store.
func (w *Webhooks) Endpoints(ctx context.Context) ([]notify.Endpoint, error) {
	rows, err := w.pool.Query(ctx, `
		SELECT id, url, events, created_at, disabled_at, disabled_reason, last_success_at, failing_since,
			CASE WHEN former_until > app_now() THEN former_until END AS former_until,
			CASE WHEN paused_until > app_now() THEN paused_until END AS paused_until,
			(SELECT count(*) FROM webhook_deliveries d WHERE d.endpoint_id = e.id AND d.state = 'waiting') AS waiting
		FROM webhook_endpoints e ORDER BY id`)
	if err != nil {
		return nil, orDown(ctx, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[endpointRow])
	endpoints := make([]notify.Endpoint, len(found))
	for i, r := range found {
		endpoints[i] = r.endpoint()
	}
	return endpoints, orDown(ctx, err)
}

// Rotate implements notify.Store. What has become the former secret need not
// be sealed anew.
func (w *Webhooks) Rotate(ctx context.Context, endpoint uuid.UUID, secret link.Sealed, overlap time.Duration) error {
	return w.change(ctx, `
		UPDATE webhook_endpoints
		SET former_secret = secret, former_key_id = key_id, former_until = app_now() + make_interval(secs => $4),
			secret = $2, key_id = $3
		WHERE id = $1`, endpoint, secret.Ciphertext, int64(secret.KeyID), overlap.Seconds())
}

// Disable implements notify.Store.
func (w *Webhooks) Disable(ctx context.Context, endpoint uuid.UUID, why notify.Disabling) error {
	return w.change(ctx, `
		UPDATE webhook_endpoints
		SET disabled_reason = coalesce(disabled_reason, $2), disabled_at = coalesce(disabled_at, app_now())
		WHERE id = $1`, endpoint, why)
}

// Enable implements notify.Store.
func (w *Webhooks) Enable(ctx context.Context, endpoint uuid.UUID) error {
	return w.change(ctx, `
		UPDATE webhook_endpoints
		SET tells_after = CASE WHEN disabled_at IS NULL THEN tells_after ELSE `+lastEvent+` END,
			disabled_reason = NULL, disabled_at = NULL, paused_until = NULL
		WHERE id = $1`, endpoint)
}

// RemoveEndpoint implements notify.Store.
func (w *Webhooks) RemoveEndpoint(ctx context.Context, endpoint uuid.UUID) error {
	return w.change(ctx, "DELETE FROM webhook_endpoints WHERE id = $1", endpoint)
}

// change runs a statement on one endpoint.
func (w *Webhooks) change(ctx context.Context, statement string, args ...any) error {
	done, err := w.pool.Exec(ctx, statement, args...)
	if err == nil && done.RowsAffected() == 0 {
		return notify.ErrNotFound
	}
	return orDown(ctx, err)
}

// AddTest implements notify.Store.
func (w *Webhooks) AddTest(ctx context.Context, d notify.Delivery) error {
	var enabled bool
	err := w.pool.QueryRow(ctx, `
		WITH endpoint AS (SELECT id, disabled_at IS NULL AS enabled FROM webhook_endpoints WHERE id = $2),
		added AS (
			INSERT INTO webhook_deliveries (id, endpoint_id, type, body, state, ended_at)
			SELECT $1, id, $3, $4, $5, app_now() FROM endpoint WHERE enabled)
		SELECT enabled FROM endpoint`, d.ID, d.Endpoint, d.Type, d.Body, d.State).Scan(&enabled)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return notify.ErrNotFound
	case err == nil && !enabled:
		return notify.ErrDisabled
	}
	return orDown(ctx, err)
}

// Clean implements notify.Store. Each statement takes a bounded number of rows.
func (w *Webhooks) Clean(ctx context.Context, keep time.Duration) error {
	_, err := w.pool.Exec(ctx, `
		DELETE FROM webhook_deliveries WHERE id IN (
			SELECT id FROM webhook_deliveries WHERE created_at < app_now() - make_interval(secs => $1)
			ORDER BY created_at LIMIT 10000 FOR UPDATE SKIP LOCKED)`, keep.Seconds())
	if err == nil {
		_, err = w.pool.Exec(ctx, `
			UPDATE webhook_endpoints SET former_secret = NULL, former_key_id = NULL, former_until = NULL
			WHERE former_until < app_now()`)
	}
	return orDown(ctx, err)
}
