package link

import (
	"context"
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

// fence names what a result belongs to: a login, or one claim of a challenge.
// If that was ended meanwhile, the result is thrown away.
type fence struct {
	login, claim uuid.UUID
	event        Event // that a session of this login is
}

func (f fence) pass(r *Record) bool {
	switch {
	case r.Connect != nil && r.Connect.closed(r.Now):
		return f.withdraw(r)
	case f.claim != noID:
		return r.Challenge != nil && r.Challenge.Claim == f.claim
	case r.Login == nil || r.Login.ID != f.login:
		return false
	case r.Login.Withdrawn:
		return f.withdraw(r)
	default:
		return true
	}
}

func (f fence) withdraw(r *Record) (passed bool) {
	if f.claim == noID && r.Login != nil && r.Login.ID == f.login {
		r.Login.Outcome = outcomeWithdrawn
	}
	return false
}

// arrived ends the login that the fence names, and names the event.
func (f fence) arrived(r *Record, outcome string) Event {
	if f.claim != noID {
		return CodeAccepted
	}
	r.Login.Outcome = outcome
	return f.event
}

// deliver changes the record by a result, if its fence lets it pass. It fails
// with Superseded if not.
func (s *Service) deliver(ctx context.Context, act Act, f fence, change func(*Record) error) error {
	passed := false
	err := s.update(ctx, act, func(r *Record) error {
		if passed = f.pass(r); !passed {
			return nil
		}
		return change(r)
	})
	if err == nil && !passed {
		return fail(Superseded)
	}
	return err
}

// arrival is a session that Garmin's API has accepted, and whose it is.
type arrival struct {
	session  *garmin.Session
	profile  garmin.Profile
	email    string    // "" if nobody has told it
	unproved bool      // the API has not accepted it yet, though Garmin has just renewed it
	proved   time.Time // by the database's clock; zero: now
}

// conclude turns a ticket into a session and keeps it.
func (s *Service) conclude(ctx context.Context, act Act, f fence, ticket *garmin.Ticket, email string) error {
	a, err := s.arrive(ctx, ticket, email)
	if err != nil {
		return s.abandon(ctx, act, f, s.refused(ctx, ticket.Region, email, err))
	}
	return s.welcome(ctx, act, f, a)
}

// welcome keeps what has arrived: as the link's own session, or as a candidate
// if it belongs to another Garmin account than the linked one, or if a host has
// to say first that it sent the one who signed in.
func (s *Service) welcome(ctx context.Context, act Act, f fence, a arrival) error {
	err := s.persist(ctx, func(again bool) error { return s.keep(ctx, act, f, a, again) })
	switch k := KindOf(err); k {
	case AccountTaken, OtherAccount, AlreadyLinked:
		return s.abandon(ctx, act, f, fail(k))
	}
	return err
}

// arrive redeems the ticket. A login counts only once the API took the token.
func (s *Service) arrive(ctx context.Context, ticket *garmin.Ticket, email string) (arrival, error) {
	session, err := s.garmin.Exchange(ctx, ticket)
	if garmin.KindOf(err) == garmin.KindUnavailable && pause(ctx, tryPause) == nil {
		// The ticket may be spent or not. If it is, the first answer was the true one.
		if again, late := s.garmin.Exchange(ctx, ticket); late == nil {
			session, err = again, nil
		}
	}
	if err != nil {
		return arrival{}, err
	}
	profile, err := s.profileOfFresh(ctx, session)
	if err != nil {
		return arrival{}, err
	}
	return arrival{session: session, profile: *profile, email: email}, nil
}

// profileOfFresh asks, more than once if need be, with a token that was issued
// a moment ago.
func (s *Service) profileOfFresh(ctx context.Context, session *garmin.Session) (*garmin.Profile, error) {
	for try := 1; ; try++ {
		profile, err := s.garmin.Profile(ctx, session)
		kind := garmin.KindOf(err)
		worth := kind == garmin.KindUnavailable || kind == garmin.KindTokenRejected
		if !worth || try == tries || pause(ctx, tryPause) != nil {
			return profile, err
		}
	}
}

func (s *Service) keep(ctx context.Context, act Act, f fence, a arrival, again bool) error {
	if again {
		r, err := s.store.Record(ctx, act.User)
		if err != nil || s.holds(&r, a) {
			return err // the last try was committed, though its answer was lost
		}
	}
	if act.Connect != noID { // the user hears of it now, and not the host later
		if err := s.notAnothers(ctx, act, a.profile.GUID); err != nil {
			return err
		}
	}
	return s.deliver(ctx, act, f, func(r *Record) error {
		if act.By == ByWorker {
			if err := r.takes(a.profile.GUID); err != nil {
				return err
			}
		}
		switch other := r.GarminGUID != a.profile.GUID; {
		case r.Connect != nil && r.Connect.Purpose == ToRelink && other:
			return fail(OtherAccount)
		case r.Connect != nil && r.Connect.Purpose == ToLink, r.GarminGUID != "" && other:
			return s.setAside(r, f, a)
		case r.Connect != nil:
			r.Connect.CodeGeneration = r.Fresh
		}
		return s.adopt(r, f.arrived(r, outcomeLinked), a)
	})
}

func (s *Service) holds(r *Record, a arrival) bool {
	session, err := s.vault.openSession(r.User, kindSession, r.Session)
	if r.Candidate != nil {
		session, err = s.vault.openCandidate(r.User, r.Candidate)
	}
	if err != nil {
		return false
	}
	return a.session.Dumps() == session.Dumps()
}

// adopt makes the arrival the link's session, over whatever stood before: the
// user's own login wins.
func (s *Service) adopt(r *Record, e Event, a arrival) error {
	sealed, err := s.vault.sealSession(r.User, kindSession, r.Fresh, a.session, r.Now)
	if err != nil {
		return err
	}
	r.dropSession()
	if err := r.move(e); err != nil {
		return err
	}
	if err := r.hold(sealed, a.session); err != nil {
		return err
	}
	r.Candidate = nil
	r.owned(a)
	r.RefreshedAt, r.NextCheck = time.Time{}, r.Now.Add(r.untilCheck())
	if a.unproved {
		r.NextCheck = r.Now.Add(proofTime)
	}
	if r.LastValidated = a.proved; a.proved.IsZero() {
		r.LastValidated = r.Now
	}
	return nil
}

// owned notes whose the arrival is. What it does not tell stays, if it is the
// same account.
func (r *Record) owned(a arrival) {
	same := r.GarminGUID == a.profile.GUID
	if a.email != "" || !same {
		r.GarminEmail = a.email
	}
	if n := name(a.profile); n != "" || !same {
		r.GarminName = n
	}
	r.Region, r.GarminGUID = string(a.session.Region()), a.profile.GUID
}

func (s *Service) setAside(r *Record, f fence, a arrival) error {
	c := &SealedCandidate{
		Region: string(a.session.Region()), GarminEmail: a.email,
		GarminGUID: a.profile.GUID, GarminName: name(a.profile),
		ProvedAt: r.Now, ExpiresAt: r.Now.Add(candidateLife),
	}
	if r.Connect != nil {
		c.Connect, c.ExpiresAt = r.Connect.ID, r.Connect.candidateEnd()
		r.Connect.CodeGeneration = r.Fresh
	}
	var err error
	c.Session, err = s.vault.sealAs(s.vault.candidateBinding(r.User, c.Connect, r.Fresh), a.session, r.Now)
	if err != nil {
		return err
	}
	f.arrived(r, outcomeCandidate)
	r.Candidate = c
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
		switch {
		case f.claim == noID && r.Login != nil && r.Login.ID == f.login:
			r.Login.fail(e, r.Now)
		case f.claim != noID && f.pass(r):
			return r.move(Failed)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return e
}
