package link

import (
	"context"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
)

// LongestLife is the most that a check-out may ask a session to last.
const LongestLife = 6 * time.Hour

// CheckOut says what a program needs.
type CheckOut struct {
	Format  Format
	MinLife time.Duration // for which it is fresh at least, 0 to LongestLife
	Renewal bool          // with what renews it
}

// CheckedOut is a session for a program.
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
	switch {
	case !c.Format.known():
		return CheckedOut{}, fail(InvalidFormat)
	case c.MinLife > LongestLife:
		return CheckedOut{}, &Error{Kind: LifeTooLong, Longest: LongestLife}
	}
	lent, err := s.lend(ctx, act, c)
	if err != nil {
		return CheckedOut{}, err
	}
	session, err := s.vault.openSession(act.User, kindSession, lent.Session)
	if err != nil {
		return CheckedOut{}, err
	}
	text, err := c.Format.copyOf(session, c.Renewal)
	if err != nil {
		return CheckedOut{}, err
	}
	return CheckedOut{
		Session: text, Domain: lent.Region, Generation: lent.Session.Generation,
		ExpiresAt: lent.Session.ExpiresAt, LastValidated: lent.LastValidated,
	}, nil
}

// lend is one statement, if the session is fresh.
func (s *Service) lend(ctx context.Context, act Act, c CheckOut) (Lent, error) {
	lent, err := s.store.CheckOut(ctx, act, c)
	if err != nil || lent.Given {
		return lent, err
	}
	if err := s.freshen(ctx, act, c.MinLife); err != nil {
		return Lent{}, err
	}
	if lent, err = s.store.CheckOut(ctx, act, c); err != nil || lent.Given {
		return lent, err
	}
	switch lent.State { // it changed since it was refreshed
	case None:
		return Lent{}, fail(NotLinked)
	case Dead:
		return Lent{}, fail(ReauthNeeded)
	default:
		return Lent{}, &Error{Kind: LifeTooLong, Longest: lent.Left}
	}
}

// freshen refreshes the session if that may help it to last for least. It waits
// for the budget, as jobs do: people come first.
func (s *Service) freshen(ctx context.Context, act Act, least time.Duration) error {
	r, err := s.live(ctx, act.User)
	if err != nil {
		return err
	}
	if r.lasts(least) {
		return nil // another has refreshed it meanwhile
	}
	if !r.mayLast(least) {
		return &Error{Kind: LifeTooLong, Longest: r.longest()}
	}
	if err := s.reachable(ctx, garmin.Region(r.Region), r.GarminEmail); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(paced(ctx), stepTime)
	defer cancel()
	_, _, err = s.usable(ctx, act, r, least)
	return err
}
