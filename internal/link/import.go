package link

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/google/uuid"
)

// Import is a session that another program has used: what garth's dumps
// writes, its two files, or python-garminconnect's file.
type Import struct {
	Text Secret
	Form uuid.UUID // see Credentials
}

var sessionFaults = map[garmin.Fault]Kind{
	garmin.FaultEmpty:      SessionMissing,
	garmin.FaultTooLong:    SessionLong,
	garmin.FaultNotBase64:  SessionGarbled,
	garmin.FaultNotSession: SessionUnknown,
	garmin.FaultHalf:       SessionHalf,
	garmin.FaultNoToken:    SessionEmpty,
	garmin.FaultRegion:     SessionRegion,
	garmin.FaultExpired:    SessionOver,
}

// Check reads the session and asks nobody, at a time that tells whether it has
// ended. It fails with the Session kinds.
func (i Import) Check(now time.Time) error {
	session, _, err := garmin.ParseAny(i.Text.Reveal())
	if err == nil {
		err = session.CheckLife(now)
	}
	if err != nil {
		return faulty(sessionFaults, err)
	}
	return nil
}

// Import links with a session that the user brings, once Garmin has accepted
// it. The link that comes back is Active or has a candidate; a copy of the very
// session that the link has changes nothing. From then on the session is renewed
// here: a program that goes on renewing its own copy may end both.
//
// What a worker brings takes the place of no live session, and waits for nobody's
// yes: it fails with AlreadyLinked and OtherAccount.
//
// It fails with the Session kinds, InProgress, AccountTaken and what Garmin may
// refuse; the link is then as it was.
func (s *Service) Import(ctx context.Context, act Act, i Import) (Link, error) {
	session, _, err := garmin.ParseAny(i.Text.Reveal())
	if err != nil {
		return Link{}, faulty(sessionFaults, err)
	}
	if act.By == ByWorker { // it may bring thousands: users come first
		ctx, err = paced(ctx), s.reachable(ctx, session.Region(), "")
	} else {
		err = s.coolingDown(ctx, session.Region(), "")
	}
	if err != nil {
		return Link{}, err
	}
	login := Login{ID: newID(), Way: ByImport, Form: i.Form, Subject: s.vault.macOf(string(ByImport), i.Text.Reveal())}
	var held, renew bool
	admit := func(r *Record, recent []Login) error {
		if held = s.holdsGrant(r, session); held {
			return fail(InProgress)
		}
		if act.By == ByWorker {
			if err := r.takes(session.GUID()); err != nil {
				return err
			}
		}
		renew = mustRenew(r, session)
		return cmp.Or(worthTaking(r, session), allow(recent, r.Now))
	}
	l, err := s.attempt(ctx, act, login, admit, func(ctx context.Context, login Login) error {
		return s.noted(ctx, act, string(ByImport), session.Region(), s.takeOver(ctx, act, login, session, renew))
	})
	if held {
		return s.View(ctx, act)
	}
	return l, err
}

// takes says whether a worker may bring a session of this Garmin account; "" if
// the session does not tell.
func (r *Record) takes(guid string) error {
	switch {
	case r.State.Session == Live:
		return fail(AlreadyLinked)
	case r.GarminGUID != "" && guid != "" && guid != r.GarminGUID:
		return fail(OtherAccount)
	default:
		return nil
	}
}

// holdsGrant reports that the link's session is renewed by the very same token.
func (s *Service) holdsGrant(r *Record, session *garmin.Session) bool {
	ours, err := s.vault.openSession(r.User, kindSession, r.Session)
	return r.State.Session == Live && err == nil && ours.SameGrant(session)
}

func worthTaking(r *Record, session *garmin.Session) error {
	if err := session.CheckLife(r.Now); err != nil {
		return faulty(sessionFaults, err)
	}
	if session.Renewal() == garmin.RenewNone && r.State.Session == Live {
		return fail(SessionStripped)
	}
	return nil
}

// mustRenew says that the access token alone proves too little: it has ended,
// or the session would take the place of one that renews itself.
func mustRenew(r *Record, session *garmin.Session) bool {
	end := session.ExpiresAt()
	return r.State.Session == Live || !end.IsZero() && end.Before(r.Now.Add(stepTime))
}

func (s *Service) takeOver(ctx context.Context, act Act, login Login, session *garmin.Session, renew bool) error {
	f := fence{login: login.ID, event: Imported}
	a, err := s.prove(ctx, act, session, renew)
	if err == nil {
		return s.welcome(ctx, act, f, a)
	}
	return s.abandon(ctx, act, f, s.refusedSession(ctx, session, err))
}

// refusedSession translates why a session that was brought does not count.
func (s *Service) refusedSession(ctx context.Context, session *garmin.Session, err error) *Error {
	e, ours := errors.AsType[*Error](err)
	if !ours {
		e = s.refused(ctx, session.Region(), "", err)
	}
	if e.Kind == TokenRefused || e.Kind == ReauthNeeded {
		e.Kind = SessionRefused
		if session.Misplaced() {
			e.Kind = SessionRegion
		}
	}
	return e
}

// prove has Garmin accept the session: its API as it is, if that will do, for a
// renewed one may be the end of the one that the user holds.
func (s *Service) prove(ctx context.Context, act Act, session *garmin.Session, renew bool) (arrival, error) {
	if !renew {
		profile, err := s.garmin.Profile(ctx, session)
		if err == nil {
			return arrival{session: session, profile: *profile}, nil
		}
		if garmin.KindOf(err) != garmin.KindTokenRejected || session.Renewal() == garmin.RenewNone {
			return arrival{}, err
		}
	}
	if err := s.notAnothers(ctx, act, session.GUID()); err != nil {
		return arrival{}, err
	}
	next, err := s.garmin.Refresh(ctx, session)
	if err != nil {
		return arrival{}, err
	}
	return s.renewedArrival(ctx, next)
}

// notAnothers fails with AccountTaken before anything is used up. What a token
// says of its account is not proved, but enough to stop.
func (s *Service) notAnothers(ctx context.Context, act Act, guid string) error {
	user, err := s.store.GarminUser(ctx, guid)
	switch {
	case errors.Is(err, ErrNotFound) || err == nil && user == act.User:
		return nil
	case err != nil:
		return err
	default:
		return fail(AccountTaken)
	}
}

// renewedArrival asks whose session it is for as long as there is time. The one
// before it may be dead, so that this one is kept even if the API does not say:
// Garmin has just renewed it, and names the account in the token.
func (s *Service) renewedArrival(ctx context.Context, session *garmin.Session) (arrival, error) {
	for {
		profile, err := s.profileOfFresh(ctx, session)
		if err == nil {
			return arrival{session: session, profile: *profile}, nil
		}
		again := garmin.KindOf(err) == garmin.KindUnavailable || garmin.KindOf(err) == garmin.KindTokenRejected
		if again && pause(ctx, tryPause) == nil {
			continue
		}
		if session.GUID() == "" {
			return arrival{}, err
		}
		return arrival{session: session, profile: garmin.Profile{GUID: session.GUID()}, unproved: true}, nil
	}
}
