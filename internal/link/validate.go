package link

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
)

// refusalTime is how long Garmin's API must refuse every fresh token before
// the link counts as dead although refreshing succeeds.
const refusalTime = 3 * time.Hour

// Validate proves with one cheap call to Garmin's API that the session works,
// after a refresh if it has run out. It fails with NotLinked, ReauthNeeded
// (which may be news: see the link), and RateLimited, Unavailable and the like,
// which change nothing.
func (s *Service) Validate(ctx context.Context, act Act) (Link, error) {
	r, err := s.store.Record(ctx, act.User)
	if err != nil {
		return Link{}, err
	}
	switch r.State.Session {
	case None:
		return Link{}, fail(NotLinked)
	case Dead:
		return Link{}, fail(ReauthNeeded)
	}
	if err := s.coolingDown(ctx, garmin.Region(r.Region), nil); err != nil {
		return Link{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	if err := s.validate(ctx, act, r); err != nil {
		return Link{}, err
	}
	return s.View(ctx, act.User)
}

func (s *Service) validate(ctx context.Context, act Act, r Record) error {
	session, generation, err := s.fresh(ctx, act, r)
	if err != nil {
		return err
	}
	err = s.prove(ctx, r, session, generation)
	if garmin.KindOf(err) != garmin.KindTokenRejected {
		return s.outcome(ctx, r, err)
	}
	// The token looks good and is refused. A new one decides.
	session, generation, err = s.refresh(ctx, act, generation)
	if err != nil {
		return err
	}
	err = s.prove(ctx, r, session, generation)
	if garmin.KindOf(err) != garmin.KindTokenRejected {
		return s.outcome(ctx, r, err)
	}
	return s.apiRefuses(ctx, act, generation, err)
}

// outcome passes our own errors on and translates Garmin's.
func (s *Service) outcome(ctx context.Context, r Record, err error) error {
	if _, ok := errors.AsType[*garmin.Error](err); !ok {
		return err
	}
	return s.refused(ctx, garmin.Region(r.Region), nil, err)
}

// fresh opens the session of r, refreshed if its access token has run out.
func (s *Service) fresh(ctx context.Context, act Act, r Record) (*garmin.Session, int64, error) {
	if r.Session.ExpiresAt.After(r.Now.Add(time.Minute)) {
		session, err := s.vault.openSession(r.User, kindSession, r.Session)
		return session, r.Session.Generation, err
	}
	return s.refresh(ctx, act, r.Session.Generation)
}

// prove asks Garmin whose session it is and records the proof.
func (s *Service) prove(ctx context.Context, r Record, session *garmin.Session, generation int64) error {
	profile, err := s.garmin.Profile(ctx, session)
	if err != nil {
		return err
	}
	if profile.GUID != r.GarminGUID {
		return &Error{Kind: UnknownAnswer, Err: fmt.Errorf("the session of generation %d answers for another account", generation)}
	}
	return s.store.Validated(ctx, r.User, generation, checkInterval)
}

// apiRefuses notes that the API refuses even a new token. That is Garmin's
// trouble, until it has gone on for so long that only a new login can help.
func (s *Service) apiRefuses(ctx context.Context, act Act, generation int64, cause error) error {
	result := &Error{Kind: Unavailable, Err: cause}
	err := s.update(ctx, act, func(r *Record) error {
		if r.Session.Generation != generation {
			return nil
		}
		if r.APIRefusedSince.IsZero() {
			r.APIRefusedSince = r.Now
		}
		if r.Now.Sub(r.APIRefusedSince) < refusalTime {
			return nil
		}
		result.Kind, r.Reason = ReauthNeeded, TokenRefusal
		return r.move(Rejected)
	})
	if err != nil {
		return err
	}
	return result
}
