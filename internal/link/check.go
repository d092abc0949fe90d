package link

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/google/uuid"
)

// Due lists users whose links are to be checked, the longest due first.
func (s *Service) Due(ctx context.Context, most int) ([]uuid.UUID, error) {
	return s.store.Due(ctx, most)
}

// Check keeps one link alive without its user: it renews a session well before
// its end, and proves that it works. One that is not due is left alone, so that
// a job may come twice. Whatever comes of it, the link is due again later, and
// only a definitive refusal changes its state.
//
// It fails for what the next check may find better; the error is for the log.
func (s *Service) Check(ctx context.Context, act Act) error {
	if s.vault.Behind() {
		return fail(Unavailable) // left to a replica that has the key which seals
	}
	r, err := s.live(ctx, act.User)
	switch KindOf(err) {
	case NotLinked, ReauthNeeded:
		return nil
	}
	if err != nil || r.NextCheck.After(r.Now) {
		return err
	}
	r, err = s.check(ctx, act, r)
	switch {
	case KindOf(err) == ReauthNeeded:
		return nil
	case err != nil:
		err = errors.Join(err, s.store.Postpone(ctx, act.User, r.Session.Generation, untilRetry(err)))
	}
	return errors.Join(err, s.warn(ctx, act, r))
}

// warn tells the world once of an end that comes soon and that only the user
// averts.
func (s *Service) warn(ctx context.Context, act Act, r Record) error {
	if !r.unwarned() {
		return nil
	}
	return s.update(ctx, act, func(r *Record) error {
		if !r.unwarned() {
			return nil
		}
		r.WarnedOf = r.EndsAt
		return r.move(Expiring)
	})
}

// check returns the link as it was found last.
func (s *Service) check(ctx context.Context, act Act, r Record) (Record, error) {
	if err := s.mayAsk(ctx, garmin.Region(r.Region), r.GarminEmail); err != nil {
		return r, err
	}
	ctx, cancel := context.WithTimeout(paced(ctx), stepTime)
	defer cancel()
	if !r.fixedEnd() && !r.renewAt().After(r.Now) {
		if _, _, err := s.refresh(ctx, act, r.Session.Generation); err != nil {
			return r, err
		}
		next, err := s.live(ctx, act.User)
		if err != nil {
			return r, err
		}
		r = next
	}
	return r, s.validate(ctx, act, r)
}

// untilRetry is when to look again after a failure: spread over twice the time,
// so that an outage does not end in a rush.
func untilRetry(err error) time.Duration {
	wait := recheckTime
	if e, ok := errors.AsType[*Error](err); ok && e.RetryAfter > 0 {
		wait = e.RetryAfter
	}
	return wait + time.Duration(rand.Float64()*float64(wait))
}

// Lapse ends challenges and candidates whose time is over, for at most so many
// users, and returns for how many it did.
func (s *Service) Lapse(ctx context.Context, by Act, most int) (int, error) {
	users, err := s.store.Lapsed(ctx, most)
	for i, user := range users {
		by.User = user
		if err := s.update(ctx, by, func(*Record) error { return nil }); err != nil {
			return i, err
		}
	}
	return len(users), err
}

// Clean removes what is kept for a time only.
func (s *Service) Clean(ctx context.Context) error { return s.store.Clean(ctx) }
