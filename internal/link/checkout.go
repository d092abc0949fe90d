package link

import (
	"context"
	"errors"
	"time"
)

// LongestLife is the most that a check-out may ask a session to last.
const LongestLife = 6 * time.Hour

// CheckOut says what a program needs.
type CheckOut struct {
	Format  Format
	MinLife time.Duration // for which it is fresh at least, 0 to LongestLife
	Renewal bool          // with what renews it
}

// CheckedOut is a session for a program, and whose it is not to be taken for.
type CheckedOut struct {
	Session       Secret // as the format says
	Domain        string // garmin.com or garmin.cn
	Generation    int64
	ExpiresAt     time.Time // of the access token
	LastValidated time.Time
}

// CheckOut gives a program the session of a link, refreshed on the way if need
// be. Without Renewal nothing in it can harm the link. Who took it, and when, is
// on record before it is given out.
//
// It fails with NotLinked and ReauthNeeded, where the user must act;
// InvalidFormat and NoRenewalInFormat; LifeTooLong, with what can be had;
// TokensLimited, Unavailable and the like with RetryAfter; and ErrUnreadable.
func (s *Service) CheckOut(ctx context.Context, act Act, c CheckOut) (CheckedOut, error) {
	return CheckedOut{}, errors.ErrUnsupported
}
