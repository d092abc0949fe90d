package link

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// ProgramStore is the part of a Store that programs work with.
type ProgramStore interface {
	// CheckOut reads a link's session. If its access token lasts for longer
	// than c asks, the same statement records that it was given out.
	CheckOut(ctx context.Context, act Act, c CheckOut) (Lent, error)

	// LentWithRenewal reports whether the session of this generation was given
	// out with what renews it.
	LentWithRenewal(ctx context.Context, user uuid.UUID, generation int64) (bool, error)

	// Report takes reports on the sessions of as many users, in one statement
	// that also puts them on record, and tells by user what came of each; users
	// who do not exist are missing. An unauthorized makes the link due for a
	// check: now, or quiet after Garmin was asked or the same was said, and
	// refused after Garmin has refused the session.
	Report(ctx context.Context, act Act, reports []ReportFor, quiet, refused time.Duration) (map[uuid.UUID]ReportTaken, error)

	// Links lists links, and LinkOf one user's, as they are now: a challenge
	// that has run out is none. ReconnectBefore is an end within warn.
	// LinkOf fails with ErrNotFound for an unknown user.
	Links(ctx context.Context, q Query, warn time.Duration) ([]Listed, error)
	LinkOf(ctx context.Context, user uuid.UUID, warn time.Duration) (Listed, error)
}

// Lent is a session as a check-out finds it.
type Lent struct {
	State         Session
	Session       SealedSession // without the end of what renews it
	Region        string
	LastValidated time.Time
	Left          time.Duration // of the access token's life
	Given         bool          // it lasts, and the check-out is on record
}

// ReportTaken is what came of a report. Neither Applied nor Newer: it is of an
// older session, or of one that ended.
type ReportTaken struct {
	Applied bool
	Newer   bool          // its generation is newer than the link's: it is not on record
	Region  string        // "" without a link
	Ago     time.Duration // since it was observed
}
