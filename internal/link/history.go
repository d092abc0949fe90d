package link

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// usesTime is how far the record of check-outs goes back.
const usesTime = 30 * 24 * time.Hour

// HistoryStore is the part of a Store that tells users what was done with their
// link.
type HistoryStore interface {
	// History lists what has happened to a user's link before an event, the
	// latest first; 0: up to now.
	History(ctx context.Context, user uuid.UUID, before int64, most int) ([]Past, error)

	// Uses lists who has taken the session out within a time, the latest first.
	Uses(ctx context.Context, user uuid.UUID, within time.Duration) ([]Use, error)
}

// Past is one line of a link's history, as its user may read it: who of the
// staff acted is not among it.
type Past struct {
	ID      int64
	At      time.Time
	Event   Event
	By      Actor
	Program string // the name of the service token; "" if none acted, or it has gone
	Reason  Reason
	Note    string    // of support
	EndsAt  time.Time // of Expiring
}

// Use is what a program did with the session.
type Use struct {
	Program string // the name of its service token; "" if that has gone
	Last    time.Time
	Renewal bool     // with what renews the session, once at least
	Days    []UseDay // the latest first
}

// UseDay is how often a program did so on one day.
type UseDay struct {
	On    time.Time // its beginning, in UTC
	Times int
}

// History tells what has happened to a user's link before an event, the latest
// first; 0: up to now. Of more than most, the rest comes before the last.
func (s *Service) History(ctx context.Context, user uuid.UUID, before int64, most int) ([]Past, error) {
	return s.store.History(ctx, user, before, most)
}

// Uses tells who has taken the session out within 30 days, the latest first.
func (s *Service) Uses(ctx context.Context, user uuid.UUID) ([]Use, error) {
	return s.store.Uses(ctx, user, usesTime)
}
