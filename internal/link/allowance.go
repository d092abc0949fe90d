package link

import (
	"bytes"
	"maps"
	"slices"
	"time"
)

// What one user may try within a day, so that nobody tests stolen passwords or
// sessions through us, guesses codes, or has codes mailed to others.
const (
	maxFailures = 10
	maxCodes    = 20
	maxAccounts = 3
	day         = 24 * time.Hour
)

// lostTime is how long a login may be under way before its process counts as
// dead: longer than stepTime and a transaction.
const lostTime = 90 * time.Second

// allow decides whether any login may be tried now: one at a time, and not
// after too many that failed.
func allow(recent []Login, now time.Time) error {
	var failures, codes []time.Time
	for _, l := range recent {
		switch l.Outcome {
		case "":
			return fail(InProgress)
		case string(WrongPassword), string(AccountLocked), string(SessionRefused):
			failures = append(failures, l.StartedAt)
		case outcomeChallenge:
			codes = append(codes, l.StartedAt)
		}
	}
	if wait := max(untilFewer(failures, maxFailures, now), untilFewer(codes, maxCodes, now)); wait > 0 {
		return &Error{Kind: TooManyFailures, RetryAfter: wait}
	}
	return nil
}

// allowEmail decides whether a password may be tried with this e-mail now. One
// that was tried today counts no further.
func allowEmail(recent []Login, mac []byte, now time.Time) error {
	others := map[string]time.Time{} // e-mail -> its last use
	for _, l := range recent {
		if l.Way == ByPassword && !bytes.Equal(l.Subject, mac) && l.StartedAt.After(others[string(l.Subject)]) {
			others[string(l.Subject)] = l.StartedAt
		}
	}
	if len(others) < maxAccounts {
		return nil
	}
	first := slices.MinFunc(slices.Collect(maps.Values(others)), time.Time.Compare)
	return &Error{Kind: TooManyAccounts, RetryAfter: first.Add(day).Sub(now)}
}

// untilFewer is how long it takes until less than most of the times, which are
// in order, lie within a day.
func untilFewer(times []time.Time, most int, now time.Time) time.Duration {
	if len(times) < most {
		return 0
	}
	return times[len(times)-most].Add(day).Sub(now)
}
