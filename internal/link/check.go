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
	generation, err := s.check(ctx, act, r)
	if err != nil && KindOf(err) != ReauthNeeded {
		return errors.Join(err, s.store.Postpone(ctx, act.User, generation, untilRetry(err)))
	}
	return nil
}

// check returns the generation of the session that it ended with.
func (s *Service) check(ctx context.Context, act Act, r Record) (generation int64, err error) {
	generation = r.Session.Generation
	if err := s.mayAsk(ctx, garmin.Region(r.Region), r.GarminEmail); err != nil {
		return generation, err
	}
	ctx, cancel := context.WithTimeout(paced(ctx), stepTime)
	defer cancel()
	if !r.fixedEnd() && !r.renewAt().After(r.Now) {
		if _, generation, err = s.refresh(ctx, act, generation); err != nil {
			return r.Session.Generation, err
		}
		if r, err = s.live(ctx, act.User); err != nil {
			return generation, err
		}
	}
	return generation, s.validate(ctx, act, r)
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
