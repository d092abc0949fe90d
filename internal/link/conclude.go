package link

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/google/uuid"
)

// A fresh token is sometimes refused for a moment (python-garminconnect #369),
// and a ticket is too dear to give up at the first 503.
const (
	tries    = 3
	tryPause = time.Second
)

// fence names what a result belongs to: a login, or one claimed attempt of a
// challenge. If the user ended it meanwhile, the result is thrown away.
type fence struct {
	login Login
	claim uuid.UUID
}

func (f fence) pass(r *Record, outcome string) (Event, error) {
	if f.claim == noID {
		return LoginDone, r.end(f.login, outcome)
	}
	if r.Challenge == nil || r.Challenge.Claim != f.claim {
		return "", fail(Superseded)
	}
	return CodeAccepted, nil
}

// arrival is a session that Garmin's API has accepted, and whose it is.
type arrival struct {
	session *garmin.Session
	profile garmin.Profile
	email   string
}

// conclude turns a ticket into a session and keeps it: as the link's own, or
// as a candidate if it belongs to another Garmin account than the linked one.
func (s *Service) conclude(ctx context.Context, act Act, f fence, ticket *garmin.Ticket, email string) error {
	a, err := s.arrive(ctx, ticket, email)
	if err != nil {
		return s.abandon(ctx, act, f, s.refused(ctx, ticket.Region, nil, err))
	}
	err = s.keep(ctx, act, f, a)
	if KindOf(err) == AccountTaken {
		return s.abandon(ctx, act, f, fail(AccountTaken))
	}
	return err
}

// arrive redeems the ticket. A login counts only once the API took the token.
func (s *Service) arrive(ctx context.Context, ticket *garmin.Ticket, email string) (arrival, error) {
	a := arrival{email: email}
	err := insist(ctx, func() (err error) {
		a.session, err = s.garmin.Exchange(ctx, ticket)
		return err
	}, garmin.KindUnavailable)
	if err != nil {
		return a, err
	}
	err = insist(ctx, func() error {
		profile, err := s.garmin.Profile(ctx, a.session)
		if err == nil {
			a.profile = *profile
		}
		return err
	}, garmin.KindUnavailable, garmin.KindTokenRejected)
	return a, err
}

// insist calls f again while it fails with one of the kinds.
func insist(ctx context.Context, f func() error, kinds ...garmin.Kind) error {
	var err error
	for range tries {
		if err = f(); err == nil || !slices.Contains(kinds, garmin.KindOf(err)) {
			return err
		}
		if pause(ctx, tryPause) != nil {
			return err
		}
	}
	return err
}

func (s *Service) keep(ctx context.Context, act Act, f fence, a arrival) error {
	var generation int64
	err := s.persist(ctx, func(ctx context.Context) (err error) {
		generation, err = s.store.NextGeneration(ctx)
		return err
	})
	if err != nil {
		return err
	}
	return s.persist(ctx, func(ctx context.Context) error { return s.save(ctx, act, f, a, generation) })
}

func (s *Service) save(ctx context.Context, act Act, f fence, a arrival, generation int64) error {
	return s.update(ctx, act, func(r *Record) error {
		if r.holds(generation) {
			return nil // the last try was committed, though its answer was lost
		}
		if r.GarminGUID != "" && r.GarminGUID != a.profile.GUID {
			return s.setAside(r, f, a, generation)
		}
		event, err := f.pass(r, outcomeLinked)
		if err != nil {
			return err
		}
		return s.adopt(r, event, a, generation)
	})
}

func (r *Record) holds(generation int64) bool {
	return r.Session.Generation == generation || r.Candidate != nil && r.Candidate.Session.Generation == generation
}

// adopt makes the arrival the link's session, over whatever stood before: the
// user's own login wins.
func (s *Service) adopt(r *Record, e Event, a arrival, generation int64) error {
	sealed, err := s.vault.sealSession(r.User, kindSession, generation, a.session)
	if err != nil {
		return err
	}
	r.dropSession()
	if err := r.move(e); err != nil {
		return err
	}
	r.Session, r.Candidate = sealed, nil
	r.Region, r.GarminEmail = string(a.session.Region()), a.email
	r.GarminGUID, r.GarminName = a.profile.GUID, name(a.profile)
	r.LastValidated, r.NextCheck = r.Now, r.Now.Add(checkInterval)
	return nil
}

func (s *Service) setAside(r *Record, f fence, a arrival, generation int64) error {
	if _, err := f.pass(r, outcomeCandidate); err != nil {
		return err
	}
	sealed, err := s.vault.sealSession(r.User, kindCandidate, generation, a.session)
	if err != nil {
		return err
	}
	r.Candidate = &SealedCandidate{
		Session: sealed, Region: string(a.session.Region()), GarminEmail: a.email,
		GarminGUID: a.profile.GUID, GarminName: name(a.profile), ExpiresAt: r.Now.Add(candidateLife),
	}
	return r.move(SetAside)
}

func name(p garmin.Profile) string {
	if p.FullName != "" {
		return p.FullName
	}
	return p.DisplayName
}

// abandon ends the login, or the challenge whose code Garmin has spent.
func (s *Service) abandon(ctx context.Context, act Act, f fence, e *Error) error {
	err := s.update(ctx, act, func(r *Record) error {
		if f.claim == noID {
			if r.Login != nil && r.Login.ID == f.login.ID {
				r.Login.fail(e, r.Now)
			}
			return nil
		}
		if r.Challenge == nil || r.Challenge.Claim != f.claim {
			return nil
		}
		return r.move(Cancelled)
	})
	if err != nil {
		return err
	}
	return e
}

// persist saves what cannot be had again: it goes on trying, whatever the
// caller does, until the database answers or the program's grace is over.
func (s *Service) persist(ctx context.Context, save func(context.Context) error) error {
	ctx = context.WithoutCancel(ctx)
	wait := 100 * time.Millisecond
	for {
		err := save(ctx)
		if !errors.Is(err, ErrStoreDown) {
			return err
		}
		s.log.ErrorContext(ctx, "a new Garmin session is not saved yet", "error", err)
		if pause(s.closing, wait) != nil {
			return err
		}
		wait = min(2*wait, 5*time.Second)
	}
}
