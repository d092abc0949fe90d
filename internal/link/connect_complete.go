package link

import (
	"cmp"
	"context"

	"github.com/google/uuid"
)

// Complete makes what a user came back with his link: the host has seen that
// the state is that of the one who is signed in there. Once it is complete, the
// same code gets the same answer.
//
// It fails with ErrNotFound, CompletionWrong, ConnectOver (also before the user
// was sent back, or too long after it) and AccountTaken.
func (s *Service) Complete(ctx context.Context, act Act, id uuid.UUID, code Secret) (ConnectSession, error) {
	c, err := s.store.Connect(ctx, id)
	if err != nil {
		return ConnectSession{}, err
	}
	act.User, act.Connect = c.User, id
	var refusal error
	err = s.update(ctx, act, func(r *Record) (fault error) {
		refusal, fault = s.complete(r, act, code)
		return fault
	})
	if err := cmp.Or(err, refusal); err != nil {
		return ConnectSession{}, err
	}
	return s.store.Connect(ctx, id)
}

func (s *Service) complete(r *Record, act Act, code Secret) (refusal, fault error) {
	c := r.Connect
	right := c.CodeGeneration != 0 && sameSecret(code, s.vault.completionOf(c.ID, c.CodeGeneration))
	switch {
	case c.Outcome == ConnectCompleted && right:
		return nil, nil
	case c.Outcome == ConnectCompleted:
		return fail(CompletionWrong), nil
	case c.Outcome != "" || !r.waits(c) || !r.Now.Before(c.ReturnedAt.Add(codeLife)):
		return fail(ConnectOver), nil
	case !right:
		return s.miscompleted(r, act), nil
	}
	c.end(ConnectCompleted, r.Now)
	if waiting := r.candidateOf(act); waiting != nil {
		return nil, s.accept(r, waiting)
	}
	return nil, nil
}

// miscompleted counts a wrong code; too many end the connect session.
func (s *Service) miscompleted(r *Record, act Act) error {
	c := r.Connect
	if c.Tries++; c.Tries >= maxCompletions {
		c.end(ConnectRefused, r.Now)
		if r.candidateOf(act) != nil {
			r.Candidate = nil
		}
	}
	return fail(CompletionWrong)
}
