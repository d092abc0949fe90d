package link

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

// Subject is what staff may know of a user and his link. It has no field for a
// token, a code or a password.
type Subject struct {
	Listed
	Email       string // with an ExternalID, contact data only
	GarminEmail string // as typed by the user

	NextCheck    time.Time
	RefusedSince time.Time // Garmin refuses, and is not believed yet; zero: it does not
	Challenge    *Waiting
	AsOf         time.Time // the database's clock
}

// Waiting is a login that waits for an MFA code, as staff see it.
type Waiting struct {
	Method    string
	SentTo    string // masked by Garmin
	Tried     int    // codes, so far
	ExpiresAt time.Time
}

// Order is by what subjects are sorted.
type Order string

const (
	ByChange     Order = "updated"
	ByValidation Order = "validated"
	ByName       Order = "name" // at Garmin
	ByID         Order = "id"   // which stays as it is whatever changes meanwhile
)

// Orders lists all of them.
var Orders = []Order{ByChange, ByValidation, ByName, ByID}

// ErrUnknownOrder says that a Find names none of them.
var ErrUnknownOrder = errors.New("link: no such order")

// Find says which subjects are meant; what is zero says nothing.
type Find struct {
	// Text is a user's id, or the reference that a page has given him within a
	// month, or what his e-mail address, external id, name or
	// e-mail address at Garmin begins with, in upper or lower case. Without a
	// text, users who have no link are left out.
	Text string

	State           string // as State.String names it; of those without a link there is no list
	Reason          Reason
	Region          string
	ValidatedBefore time.Time // or never

	Order      Order
	Descending bool
	After      Spot // the last subject of the page before
	Most       int
}

// Spot is where a page of subjects ends. Of Time and Name it has the one that
// its order goes by.
type Spot struct {
	Time time.Time // zero: never
	Name string
	User uuid.UUID // zero: no page was before
}

// Spot is where s stands in an order.
func (s *Subject) Spot(o Order) Spot {
	spot := Spot{User: s.User}
	switch o {
	case ByChange:
		spot.Time = s.UpdatedAt
	case ByValidation:
		spot.Time = s.LastValidated
	case ByName:
		spot.Name = s.GarminName
	}
	return spot
}

// Found is a page of subjects.
type Found struct {
	Subjects []Subject

	// Crowded says that more begin with the text than are looked at: the page
	// may lack some.
	Crowded bool
}

// SupportStore is the part of a Store that staff look into. Each method is one
// statement, but Search with a text, which is two, and none counts links.
type SupportStore interface {
	// Search lists subjects. It fails with ErrUnknownState and
	// ErrUnknownOrder.
	Search(ctx context.Context, f Find, warn time.Duration) (Found, error)

	// Subject tells of one user. It fails with ErrNotFound.
	Subject(ctx context.Context, user uuid.UUID, warn time.Duration) (Subject, error)

	// Timeline lists what happened before a time, the latest first: so many,
	// and with the last of them all others of the same moment.
	Timeline(ctx context.Context, user uuid.UUID, before time.Time, most int) ([]Occurrence, error)

	// Daily lists what CountLinks has counted within so many days, and Hourly
	// what SumActivity has summed up within a time, the earliest first.
	Daily(ctx context.Context, days int) ([]DayCount, error)
	Hourly(ctx context.Context, within time.Duration) ([]HourSum, error)

	// CountLinks counts links by state, for today.
	CountLinks(ctx context.Context) error

	// SumActivity sums up what was done since it came last. How long things
	// took is told by the bounds between which they lie.
	SumActivity(ctx context.Context, bounds []time.Duration) error

	// CoolDowns lists those whose keys have a prefix and that are not over, by
	// key.
	CoolDowns(ctx context.Context, prefix string) ([]CoolDown, error)

	// CoolDownsOf lists those with these keys that are not over, by key.
	CoolDownsOf(ctx context.Context, keys []string) ([]CoolDown, error)
}

// Search lists subjects for staff, as SupportStore does.
func (s *Service) Search(ctx context.Context, f Find) (Found, error) {
	return s.store.Search(ctx, f, warnTime)
}

// Subject tells staff of one user. It fails with ErrNotFound.
func (s *Service) Subject(ctx context.Context, user uuid.UUID) (Subject, error) {
	return s.store.Subject(ctx, user, warnTime)
}

// Timeline lists what happened to a link, as SupportStore does.
func (s *Service) Timeline(ctx context.Context, user uuid.UUID, before time.Time, most int) ([]Occurrence, error) {
	return s.store.Timeline(ctx, user, before, most)
}
