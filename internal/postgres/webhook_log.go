package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/notify"
)

type loggedRow struct {
	ID            uuid.UUID
	EndpointID    uuid.UUID
	EventID       *int64
	UserID        *uuid.UUID
	Type          string
	Body          string
	State         string
	CreatedAt     time.Time
	NextAttemptAt time.Time
}

const logQuery = `
	SELECT id, endpoint_id, event_id, user_id, type, body, state, created_at, next_attempt_at
	FROM webhook_deliveries
	WHERE ($1::uuid IS NULL OR endpoint_id = $1) AND ($2::uuid IS NULL OR user_id = $2)
		AND (NOT $3 OR state = 'given_up' OR state = 'waiting' AND failures > 0)
	ORDER BY created_at DESC, id DESC LIMIT $4`

// Log implements notify.Store, in two statements, the first of which is planned
// by its values.
func (w *Webhooks) Log(ctx context.Context, q notify.Query) ([]notify.Logged, error) {
	rows, err := w.pool.Query(ctx, logQuery, pgx.QueryExecModeCacheDescribe, null(q.Endpoint), null(q.User), q.Failed, q.Most)
	if err != nil {
		return nil, orDown(ctx, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[loggedRow])
	if err != nil {
		return nil, orDown(ctx, err)
	}
	list, ids := make([]notify.Logged, len(found)), make([]uuid.UUID, len(found))
	for i, r := range found {
		list[i], ids[i] = r.logged(), r.ID
	}
	attempts, err := w.attempts(ctx, ids)
	for i, id := range ids {
		list[i].Attempts = attempts[id]
	}
	return list, orDown(ctx, err)
}

func (r loggedRow) logged() notify.Logged {
	l := notify.Logged{
		Delivery: notify.Delivery{
			ID: r.ID, Endpoint: r.EndpointID, Event: value(r.EventID), User: value(r.UserID),
			Type: link.EventType(r.Type), Body: r.Body, State: notify.State(r.State),
		},
		CreatedAt: r.CreatedAt,
	}
	if l.State == notify.Waiting {
		l.NextAt = r.NextAttemptAt
	}
	return l
}

type attemptRow struct {
	DeliveryID uuid.UUID
	StartedAt  time.Time
	Seconds    *float64
	Status     *int
	Error      *string
}

func (w *Webhooks) attempts(ctx context.Context, deliveries []uuid.UUID) (map[uuid.UUID][]notify.Attempt, error) {
	rows, err := w.pool.Query(ctx, `
		SELECT delivery_id, started_at, extract(epoch FROM took)::float8 AS seconds, status, error
		FROM webhook_attempts WHERE delivery_id = ANY ($1) ORDER BY id`, deliveries)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[attemptRow])
	attempts := map[uuid.UUID][]notify.Attempt{}
	for _, r := range found {
		attempts[r.DeliveryID] = append(attempts[r.DeliveryID], notify.Attempt{
			At: r.StartedAt, Ended: r.Seconds != nil,
			Answer: notify.Answer{
				Status: value(r.Status), Error: value(r.Error),
				Took: time.Duration(value(r.Seconds) * float64(time.Second)),
			},
		})
	}
	return attempts, err
}
