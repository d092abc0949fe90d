package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/garminlink/garminlink/internal/link"
)

type happeningRow struct {
	ID         int64
	Type       string
	UserID     uuid.UUID
	ExternalID *string
	ToState    string
	Reason     *string
	EndsAt     *time.Time
	CreatedAt  time.Time
}

// Happened implements link.Store.
func (p *Links) Happened(ctx context.Context, after int64, types []link.EventType, most int) ([]link.Happening, error) {
	rows, err := p.pool.Query(ctx, `
		SELECT e.id, e.type, e.user_id, u.external_id, e.to_state, e.reason, e.ends_at, e.created_at
		FROM link_events e JOIN users u ON u.id = e.user_id
		WHERE e.type IS NOT NULL AND e.id > $1 AND ($2::text[] IS NULL OR e.type = ANY ($2))
		ORDER BY e.id LIMIT $3`, after, types, most)
	if err != nil {
		return nil, linkError(ctx, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[happeningRow])
	happened := make([]link.Happening, len(found))
	for i, r := range found {
		happened[i] = link.Happening{
			ID: r.ID, Type: link.EventType(r.Type), User: r.UserID, ExternalID: value(r.ExternalID),
			State: r.ToState, Reason: link.Reason(value(r.Reason)), ReconnectBefore: value(r.EndsAt), At: r.CreatedAt,
		}
	}
	return happened, linkError(ctx, err)
}
