package link

import (
	"bytes"
	"context"
	"time"

	"github.com/google/uuid"
)

// attempt lets run sign in, whichever way, unless the user is at it already or
// admit refuses. The second call of a double click runs nothing: it waits and
// tells the first one's result.
func (s *Service) attempt(ctx context.Context, act Act, login Login, admit admission, run func(context.Context, Login) error) (Link, error) {
	var same *Login
	err := s.store.BeginLogin(ctx, act, login, lostTime, func(r *Record, recent []Login) error {
		s.clock.set(r.Now)
		if same = duplicateOf(recent, login, r.Now); same != nil {
			return fail(InProgress)
		}
		return admit(r, recent)
	})
	if same != nil {
		return s.awaitLogin(ctx, act, same.ID)
	}
	if err != nil {
		return Link{}, err
	}
	// From here on the browser may go away: what Garmin grants is kept.
	ctx = withAttempt(context.WithoutCancel(ctx), act, login.ID)
	step, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	if err := run(step, login); err != nil {
		return Link{}, err
	}
	return s.View(ctx, act)
}

// admission decides whether a login may be tried now, given the link and the
// user's logins of the last day.
type admission func(r *Record, recent []Login) error

// echoTime is how late the second of two equal requests may come that were
// sent together.
const echoTime = 5 * time.Second

// duplicateOf is the login that this one repeats: one with the same subject
// that is under way, or that has led to something and came from the very same
// form. A second login would have Garmin mail a second code and void the first.
// One that ran into a limit is repeated too: the cool-down that it began may
// not have been seen.
func duplicateOf(recent []Login, login Login, now time.Time) *Login {
	for i := range recent {
		l := &recent[i]
		if l.Way != login.Way || !bytes.Equal(l.Subject, login.Subject) {
			continue
		}
		switch l.Outcome {
		case "":
			return l
		case outcomeLinked, outcomeChallenge, outcomeCandidate:
			echo := l.Way == ByHandoff && now.Sub(l.EndedAt) < echoTime
			if echo || login.Form != noID && l.Form == login.Form {
				return l
			}
		case string(RateLimited), string(TokensLimited):
			if now.Sub(l.EndedAt) < echoTime {
				return l
			}
		}
	}
	return nil
}

// awaitLogin tells the result of another request's login.
func (s *Service) awaitLogin(ctx context.Context, act Act, id uuid.UUID) (Link, error) {
	ctx, cancel := context.WithTimeout(ctx, claimTime)
	defer cancel()
	for {
		l, err := s.store.Login(ctx, id)
		if err != nil {
			return Link{}, err
		}
		switch l.Outcome {
		case "":
		case outcomeLinked, outcomeChallenge, outcomeCandidate:
			return s.outcomeOf(ctx, act)
		case outcomeWithdrawn:
			return Link{}, fail(Superseded)
		case OutcomeLost:
			return Link{}, fail(Unavailable)
		default:
			return Link{}, &Error{Kind: Kind(l.Outcome), RetryAfter: l.RetryAfter()}
		}
		if err := pause(ctx, pollInterval); err != nil {
			return Link{}, fail(InProgress)
		}
	}
}

// outcomeOf is what a login has led to, unless it was undone since.
func (s *Service) outcomeOf(ctx context.Context, act Act) (Link, error) {
	l, err := s.View(ctx, act)
	if err == nil && l.State == (State{}) && l.Candidate == nil {
		return Link{}, fail(Superseded)
	}
	return l, err
}

func (l *Login) fail(e *Error, now time.Time) {
	l.Outcome = string(e.Kind)
	if e.RetryAfter > 0 {
		l.RetryAt = now.Add(e.RetryAfter)
	}
}

// RetryAfter is what the one who waited for this login is told.
func (l *Login) RetryAfter() time.Duration {
	if l.RetryAt.IsZero() {
		return 0
	}
	return l.RetryAt.Sub(l.EndedAt)
}
