package link

import (
	"context"
	"crypto/rand"

	"github.com/google/uuid"
)

// minForm is how long a form's name must be to tell one browser from another.
const minForm = 20

// ConnectOf reads a connect session. It fails with ErrNotFound.
func (s *Service) ConnectOf(ctx context.Context, id uuid.UUID) (ConnectSession, error) {
	return s.store.Connect(ctx, id)
}

// OpenConnect finds the connect session of an address. That changes nothing:
// programs that look through mail open addresses too. It fails with ErrNotFound.
func (s *Service) OpenConnect(ctx context.Context, address Secret) (ConnectSession, error) {
	id := idIn(address)
	if id == noID || !sameSecret(address, s.vault.addressOf(id)) {
		return ConnectSession{}, ErrNotFound
	}
	return s.store.Connect(ctx, id)
}

// BoundConnect finds the connect session that a browser is bound to by a
// secret, over or not. It fails with ErrNotFound.
func (s *Service) BoundConnect(ctx context.Context, browser Secret) (ConnectSession, error) {
	id := idIn(browser)
	if id == noID {
		return ConnectSession{}, ErrNotFound
	}
	c, err := s.store.Connect(ctx, id)
	if err == nil && !c.isBrowser(browser) {
		err = ErrNotFound
	}
	return c, err
}

// BindConnect binds the connect session of an address to the one browser that
// has sent this form, and returns the secret by which it is known from then on.
// The same form again, or the browser that holds the secret, is no other one.
//
// It fails with ErrNotFound, ConnectOver and ConnectElsewhere.
func (s *Service) BindConnect(ctx context.Context, requestID string, address Secret, form string, held Secret) (browser Secret, err error) {
	c, err := s.OpenConnect(ctx, address)
	if err != nil {
		return "", err
	}
	if len(form) < minForm {
		form = rand.Text()
	}
	browser = s.vault.browserOf(c.ID, form)
	act := Act{User: c.User, By: ByUser, RequestID: requestID, Connect: c.ID}
	err = s.update(ctx, act, func(r *Record) error {
		switch c := r.Connect; {
		case c.over(r.Now):
			return fail(ConnectOver)
		case c.Browser == nil:
			c.Browser, c.BoundAt = hashOf(browser), r.Now
		case c.isBrowser(held):
			browser = held
		case !c.isBrowser(browser):
			return fail(ConnectElsewhere)
		}
		return nil
	})
	return browser, err
}

// Return sends the user of a connect session back to its host, with the state
// and the code for Complete; the address is empty if nobody waits for him. For
// what it has led to, the code is always the same. candidate is the generation
// that the form named; 0 means whatever waits.
//
// It fails with NotLinked before anything has come of it, NoCandidate and
// ConnectOver.
func (s *Service) Return(ctx context.Context, act Act, candidate int64) (address Secret, err error) {
	err = s.update(ctx, act, func(r *Record) error {
		c := r.Connect
		done := c.Outcome == ConnectCompleted
		switch {
		case candidate != 0 && candidate != c.CodeGeneration:
			return fail(NoCandidate)
		case c.closed(r.Now) && !done:
			return fail(ConnectOver)
		case !done && !r.waits(c):
			return fail(NotLinked)
		case !done:
			c.ReturnedAt = r.Now
		}
		address = c.back("code", s.vault.completionOf(c.ID, c.CodeGeneration).Reveal())
		return nil
	})
	return address, err
}

// waits reports that the connect session has led to something.
func (r *Record) waits(c *ConnectSession) bool {
	return c.relinked() || r.Candidate != nil && r.Candidate.Connect == c.ID
}

// Leave sends the user of a connect session back to its host without a link;
// a candidate or challenge of it goes. Once there is nothing to give up, as the
// link stands, it is Return.
func (s *Service) Leave(ctx context.Context, act Act) (address Secret, err error) {
	err = s.update(ctx, act, func(r *Record) error {
		c := r.Connect
		if c.Outcome != "" || c.relinked() || c.over(r.Now) && !r.waits(c) && r.challengeOf(act) == nil {
			return nil
		}
		return s.leave(r, act)
	})
	if err != nil {
		return "", err
	}
	c, err := s.store.Connect(ctx, act.Connect)
	if err != nil {
		return "", err
	}
	switch status := c.Status(); {
	case status == ConnectCompleted, status == ConnectLinked && !c.Over():
		return s.Return(ctx, act, 0)
	case status == ConnectLinked: // what its code completed is no longer asked for
		return c.back("error", string(ConnectExpired)), nil
	default:
		return c.back("error", string(status)), nil
	}
}

func (s *Service) leave(r *Record, act Act) error {
	r.Connect.end(ConnectCancelled, r.Now)
	if r.candidateOf(act) != nil {
		r.Candidate = nil
	}
	if r.challengeOf(act) == nil {
		return nil
	}
	return r.move(Cancelled)
}
