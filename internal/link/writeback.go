package link

import (
	"context"

	"github.com/garminlink/garminlink/internal/garmin"
)

// WriteBack is a session that a program took out with renewal, and renewed.
type WriteBack struct {
	Text       Secret // in any form that Import reads
	Generation int64  // that it took out
}

// WriteBack puts the session in the place of the one of its generation. The
// very session that the link has changes nothing, and is no error.
//
// It fails with NotLinked and ReauthNeeded, GenerationMoved, OtherAccount, the
// Session kinds, what Garmin may refuse, and ErrUnreadable; the link is then as
// it was.
func (s *Service) WriteBack(ctx context.Context, act Act, w WriteBack) (Link, error) {
	session, _, err := garmin.ParseAny(w.Text.Reveal())
	if err != nil {
		return Link{}, faulty(sessionFaults, err)
	}
	r, err := s.live(ctx, act.User)
	if err != nil {
		return Link{}, err
	}
	same, err := s.mayReplace(&r, session, w.Generation)
	if err != nil {
		return Link{}, err
	}
	if !same {
		// From here on the program may go away: what Garmin grants is kept.
		ctx := context.WithoutCancel(ctx)
		if err := s.noted(ctx, act, "write_back", session.Region(), s.replace(ctx, act, r, session)); err != nil {
			return Link{}, err
		}
	}
	return s.View(ctx, act)
}

// mayReplace judges a session by what can be seen of it, and reports whether it
// is the very one that the link has.
func (s *Service) mayReplace(r *Record, session *garmin.Session, generation int64) (same bool, err error) {
	ours, err := s.vault.openSession(r.User, kindSession, r.Session)
	switch {
	case err != nil:
		return false, err
	case ours.Same(session):
		return true, nil
	case r.Session.Generation != generation:
		return false, fail(GenerationMoved)
	case session.GUID() != "" && session.GUID() != r.GarminGUID:
		return false, fail(OtherAccount)
	case session.OlderThan(ours):
		return false, fail(GenerationMoved) // a copy of long ago, under a generation that was read lately
	case session.Renewal() == garmin.RenewNone && ours.Renewal() != garmin.RenewNone:
		return false, fail(SessionStripped)
	}
	if err := session.CheckLife(r.Now); err != nil {
		return false, faulty(sessionFaults, err)
	}
	return false, nil
}

// replace keeps the session in the place of the one that r shows. A refresh that
// is under way finds that it has moved on, and throws its result away.
func (s *Service) replace(ctx context.Context, act Act, seen Record, session *garmin.Session) error {
	a, err := s.tryOut(ctx, act, seen, session)
	if err != nil {
		return err
	}
	return s.persist(ctx, func(bool) error {
		return s.update(ctx, act, func(r *Record) error {
			if r.State.Session == Live && r.Session.Generation == seen.Session.Generation {
				return s.putBack(r, a)
			}
			// Unless the same was sent twice, or a try before this one was committed.
			if ours, err := s.vault.openSession(r.User, kindSession, r.Session); err == nil && ours.Same(a.session) {
				return nil
			}
			return fail(GenerationMoved)
		})
	})
}

// tryOut has Garmin say whether the session works and whose it is. If Garmin
// cannot be asked, one that names the account of the link counts as unproved:
// the worker has renewed it, so that ours may be dead already.
func (s *Service) tryOut(ctx context.Context, act Act, r Record, session *garmin.Session) (arrival, error) {
	var a arrival
	err := s.reachable(ctx, session.Region(), r.GarminEmail)
	if err == nil {
		step, cancel := context.WithTimeout(paced(ctx), stepTime)
		defer cancel()
		over := !session.ExpiresAt().IsZero() && !session.ExpiresAt().After(r.Now)
		a, err = s.prove(step, act, session, over)
	}
	if err == nil {
		if a.profile.GUID != r.GarminGUID {
			return arrival{}, fail(OtherAccount)
		}
		return a, nil
	}
	switch e := s.refusedSession(ctx, session, err); {
	case e.Kind == SessionRefused, e.Kind == SessionRegion, session.GUID() == "":
		return arrival{}, e
	default:
		return arrival{session: session, profile: garmin.Profile{GUID: session.GUID()}, unproved: true}, nil
	}
}

// putBack leaves alone what is the user's: a challenge, a candidate. The session
// before stays within reach until this one is proved to work.
func (s *Service) putBack(r *Record, a arrival) error {
	former, candidate, validated := r.Session, r.Candidate, r.LastValidated
	if r.RefreshedAt.IsZero() && !r.Previous.IsZero() {
		former = r.Previous // what stands was written back, and nobody has proved it
	}
	if err := s.adopt(r, WrittenBack, a); err != nil {
		return err
	}
	r.Candidate = candidate
	if a.unproved {
		r.Previous, r.LastValidated = former, validated
	}
	return nil
}
