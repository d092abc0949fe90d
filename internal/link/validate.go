package link

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/google/uuid"
)

const (
	// refusalTime is how long Garmin's API must refuse every fresh token before
	// the link counts as dead although refreshing succeeds. Refusals that are
	// further apart than refusalGap are not one row of them.
	refusalTime = 3 * time.Hour
	refusalGap  = 90 * time.Minute

	// recheckTime is when to look again after a refusal; until then a token
	// that was refreshed is not refreshed once more.
	recheckTime = 15 * time.Minute
)

// Validate proves with one cheap call to Garmin's API that the session works,
// after a refresh if it has run out. It fails with NotLinked, ReauthNeeded
// (which may be news: see the link), and RateLimited, Unavailable and the like,
// which change nothing.
func (s *Service) Validate(ctx context.Context, act Act) (Link, error) {
	r, err := s.live(ctx, act.User)
	if err != nil {
		return Link{}, err
	}
	if err := s.coolingDown(ctx, garmin.Region(r.Region), r.GarminEmail); err != nil {
		return Link{}, err
	}
	step, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	if err := s.validate(step, act, r); err != nil {
		return Link{}, err
	}
	return s.View(ctx, act)
}

// live reads a link that has a session. It fails with NotLinked and
// ReauthNeeded for others.
func (s *Service) live(ctx context.Context, user uuid.UUID) (Record, error) {
	r, err := s.store.Record(ctx, user)
	if err != nil {
		return r, err
	}
	return r, r.mustBeLive()
}

func (s *Service) validate(ctx context.Context, act Act, r Record) error {
	session, generation, err := s.usable(ctx, act, r, time.Minute)
	if err != nil {
		return err
	}
	profile, err := asking(ctx, s, act, "validate", r.Region, session, s.garmin.Profile)
	if garmin.KindOf(err) == garmin.KindTokenRejected {
		// The token looks good and is refused: a fresh one decides.
		if generation == r.Session.Generation && r.Now.Sub(r.RefreshedAt) > recheckTime {
			if session, generation, err = s.refresh(ctx, act, generation); err != nil {
				return err
			}
		}
		profile, err = asking(ctx, s, act, "validate", r.Region, session, s.profileOfFresh)
	}
	switch {
	case garmin.KindOf(err) == garmin.KindTokenRejected:
		return s.apiRefuses(ctx, act, generation, err)
	case err != nil:
		return s.told(ctx, garmin.Region(r.Region), r.GarminEmail, err)
	default:
		return s.proved(ctx, act, generation, profile)
	}
}

// usable opens the session of r, refreshed if its access token does not last
// for least.
func (s *Service) usable(ctx context.Context, act Act, r Record, least time.Duration) (*garmin.Session, int64, error) {
	if r.lasts(least) {
		session, err := s.vault.openSession(r.User, kindSession, r.Session)
		return session, r.Session.Generation, err
	}
	return s.refresh(ctx, act, r.Session.Generation)
}

// proved records the proof, if it is one for the account that is linked.
func (s *Service) proved(ctx context.Context, act Act, generation int64, profile *garmin.Profile) error {
	r, err := s.store.Record(ctx, act.User)
	if err != nil || r.Session.Generation != generation {
		return err // the session was replaced meanwhile: nothing is proved, and nothing is wrong
	}
	if profile.GUID != r.GarminGUID {
		return &Error{Kind: UnknownAnswer, Err: fmt.Errorf("the session of generation %d answers for another account", generation)}
	}
	if n := name(*profile); n != r.GarminName && n != "" {
		if err := s.rename(ctx, act, generation, n); err != nil {
			return err
		}
	}
	return s.store.Validated(ctx, act.User, generation, r.untilCheck())
}

// rename keeps up with what the user calls himself at Garmin.
func (s *Service) rename(ctx context.Context, act Act, generation int64, name string) error {
	return s.update(ctx, act, func(r *Record) error {
		if r.Session.Generation == generation {
			r.GarminName = name
		}
		return nil
	})
}

// apiRefuses notes that the API refuses even a new token. That is Garmin's
// trouble, until it has gone on for so long that only a new login can help.
func (s *Service) apiRefuses(ctx context.Context, act Act, generation int64, cause error) error {
	later := &Error{Kind: Unavailable, RetryAfter: recheckTime, Err: cause}
	ripe := false
	err := s.update(ctx, act, func(r *Record) error {
		if r.Session.Generation != generation {
			return nil
		}
		if r.Now.Sub(r.APIRefusedAt) > refusalGap {
			r.APIRefusedSince = r.Now
		}
		r.APIRefusedAt, r.NextCheck = r.Now, r.Now.Add(recheckTime)
		ripe = r.Now.Sub(r.APIRefusedSince) >= refusalTime
		return nil
	})
	if err != nil || !ripe {
		return cmp.Or(err, error(later))
	}
	if stopped, err := s.braked(ctx); err != nil || stopped {
		return cmp.Or(err, error(later))
	}
	err = s.update(ctx, act, func(r *Record) error {
		if r.Session.Generation != generation {
			return nil
		}
		r.Reason = TokenRefusal
		return r.move(Rejected)
	})
	return cmp.Or(err, error(&Error{Kind: ReauthNeeded, Err: cause}))
}
