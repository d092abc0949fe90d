package postgres

import (
	"context"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/link"
)

// HasUnlinked reports that a link of the user's was removed at some time.
func (p *Links) HasUnlinked(ctx context.Context, user uuid.UUID) (has bool, err error) {
	err = p.pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM link_events WHERE user_id = $1 AND event = $2)", user, string(link.Unlinked)).Scan(&has)
	return has, orDown(ctx, err)
}
