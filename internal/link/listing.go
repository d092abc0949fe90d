package link

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

// Listed is what programs may know of a link. It has no field for a token.
type Listed struct {
	User       uuid.UUID
	ExternalID string // "" of a user of ours
	State      State  // a challenge that has run out is none
	Reason     Reason // set when the session is Dead

	Generation         int64 // 0 if there is no session to check out
	Region, GarminName string
	CreatedAt          time.Time
	Since              time.Time // when it came into this state
	LastValidated      time.Time
	RefreshedAt        time.Time
	ExpiresAt          time.Time // of the access token
	ReconnectBefore    time.Time // see Link
	ReportedAt         time.Time // when a worker said last how the session fared
	ReportedOutcome    Outcome
	UpdatedAt          time.Time
}

// Place is where a page of a listing ends.
type Place struct {
	UpdatedAt time.Time
	User      uuid.UUID
}

// Place is where l stands in a listing.
func (l *Listed) Place() Place { return Place{l.UpdatedAt, l.User} }

// ErrUnknownState says that a Query names no state that is shown.
var ErrUnknownState = errors.New("link: no such state")

// Query says which links to list.
type Query struct {
	State        string // as State.String names it; "" for any
	UpdatedAfter time.Time
	After        Place // of the last link of the page before
	Most         int
}

// Links lists links in the order in which they were changed last. One that was
// changed a moment ago may turn up before another that is still being written:
// who looks for changes by UpdatedAfter alone starts a minute early. Happened
// misses nothing.
func (s *Service) Links(ctx context.Context, q Query) ([]Listed, error) {
	return s.store.Links(ctx, q, warnTime)
}

// LinkOf tells of one user's link; without one, it is in the zero State. It
// fails with ErrNotFound if there is no such user.
func (s *Service) LinkOf(ctx context.Context, user uuid.UUID) (Listed, error) {
	return s.store.LinkOf(ctx, user, warnTime)
}
