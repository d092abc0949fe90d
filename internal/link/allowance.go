package link

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
)

// What one user may try within a day, so that nobody tests stolen passwords
// through us, guesses codes, or has codes mailed to others.
const (
	maxFailures = 10
	maxCodes    = 20
	maxAccounts = 3
	day         = 24 * time.Hour
)

// lostTime is how long a login may be under way before its process counts as
// dead: longer than stepTime and a transaction.
const lostTime = 90 * time.Second

// echoTime is how late the second of two equal requests may come that were
// sent together.
const echoTime = 5 * time.Second

// duplicateOf is the login that this one repeats: one with the same e-mail
// that is under way, or that has led to something and came from the very same
// form. A second login would have Garmin mail a second code and void the first.
// One that ran into a limit is repeated too: the cool-down that it began may
// not have been seen.
func duplicateOf(recent []Login, login Login, now time.Time) *Login {
	for i := range recent {
		l := &recent[i]
		if !bytes.Equal(l.EmailMAC, login.EmailMAC) {
			continue
		}
		switch l.Outcome {
		case "":
			return l
		case outcomeLinked, outcomeChallenge, outcomeCandidate:
			if login.Form != noID && l.Form == login.Form {
				return l
			}
		case string(RateLimited):
			if now.Sub(l.EndedAt) < echoTime {
				return l
			}
		}
	}
	return nil
}

// admit decides whether a login with this e-mail may be tried now. known says
// that it is the e-mail of the user's own link.
func admit(recent []Login, mac []byte, known bool, now time.Time) error {
	if slices.ContainsFunc(recent, func(l Login) bool { return l.Outcome == "" }) {
		return fail(InProgress)
	}
	var failures, codes []time.Time
	others := map[string]time.Time{} // e-mail -> its last use
	for _, l := range recent {
		switch l.Outcome {
		case string(WrongPassword), string(AccountLocked):
			failures = append(failures, l.StartedAt)
		case outcomeChallenge:
			codes = append(codes, l.StartedAt)
		}
		if !bytes.Equal(l.EmailMAC, mac) && l.StartedAt.After(others[string(l.EmailMAC)]) {
			others[string(l.EmailMAC)] = l.StartedAt
		}
	}
	if wait := max(untilFewer(failures, maxFailures, now), untilFewer(codes, maxCodes, now)); wait > 0 {
		return &Error{Kind: TooManyFailures, RetryAfter: wait}
	}
	if !known && len(others) >= maxAccounts {
		first := slices.MinFunc(slices.Collect(maps.Values(others)), time.Time.Compare)
		return &Error{Kind: TooManyAccounts, RetryAfter: first.Add(day).Sub(now)}
	}
	return nil
}

// untilFewer is how long it takes until less than most of the times, which are
// in order, lie within a day.
func untilFewer(times []time.Time, most int, now time.Time) time.Duration {
	if len(times) < most {
		return 0
	}
	return times[len(times)-most].Add(day).Sub(now)
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
			return s.View(ctx, act)
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
