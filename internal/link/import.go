package link

import (
	"context"

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

// Import links with a session that the user brings, once Garmin has accepted
// it. The link that comes back is Active or has a candidate. From then on the
// session is renewed here: a program that goes on renewing its own copy may
// end both.
//
// It fails with the Session kinds, InProgress, AccountTaken and what Garmin may
// refuse; the link is then as it was.
func (s *Service) Import(ctx context.Context, act Act, i Import) (Link, error) {
	session, _, err := garmin.ParseAny(i.Text.Reveal())
	if err != nil {
		return Link{}, faulty(sessionFaults, err)
	}
	if err := s.coolingDown(ctx, session.Region(), "", tokenHost, apiHost); err != nil {
		return Link{}, err
	}
	login := Login{ID: newID(), Way: ByImport, Form: i.Form, Subject: s.vault.macOf(ByImport, i.Text.Reveal())}
	renew := false
	admit := func(r *Record, recent []Login) error {
		if err := session.CheckLife(r.Now); err != nil {
			return faulty(sessionFaults, err)
		}
		if session.Renewal() == garmin.RenewNone && r.State.Session == Live {
			return fail(SessionStripped)
		}
		end := session.ExpiresAt()
		renew = !end.IsZero() && end.Before(r.Now.Add(stepTime))
		return allow(recent, r.Now)
	}
	return s.attempt(ctx, act, login, admit, func(ctx context.Context, login Login) error {
		return s.noted(ctx, act, login, session.Region(), s.takeOver(ctx, act, login, session, renew))
	})
}

func (s *Service) takeOver(ctx context.Context, act Act, login Login, session *garmin.Session, renew bool) error {
	f := fence{login: login.ID, event: Imported}
	a, err := s.prove(ctx, session, renew)
	if err != nil {
		e := s.refused(ctx, session.Region(), "", err)
		if e.Kind == TokenRefused || e.Kind == ReauthNeeded {
			e.Kind = SessionRefused
			if session.Misplaced() {
				e.Kind = SessionRegion
			}
		}
		return s.abandon(ctx, act, f, e)
	}
	return s.welcome(ctx, act, f, a)
}

// prove has Garmin's API accept the session: as it is if it does, for a renewed
// one may be the end of the one that the user holds.
func (s *Service) prove(ctx context.Context, session *garmin.Session, renew bool) (arrival, error) {
	if !renew {
		profile, err := s.garmin.Profile(ctx, session)
		if err == nil {
			return arrival{session: session, profile: *profile}, nil
		}
		if garmin.KindOf(err) != garmin.KindTokenRejected || session.Renewal() == garmin.RenewNone {
			return arrival{}, err
		}
	}
	next, err := s.garmin.Refresh(ctx, session)
	if err != nil {
		return arrival{}, err
	}
	profile, err := s.profileOfOnly(ctx, next)
	if err != nil {
		return arrival{}, err
	}
	return arrival{session: next, profile: *profile}, nil
}

// profileOfOnly asks for as long as there is time: the session before this one
// may be dead, so that giving up would lose the user's last.
func (s *Service) profileOfOnly(ctx context.Context, session *garmin.Session) (*garmin.Profile, error) {
	for {
		profile, err := s.profileOfFresh(ctx, session)
		if garmin.KindOf(err) != garmin.KindUnavailable || pause(ctx, tryPause) != nil {
			return profile, err
		}
	}
}
