package link

import (
	"bytes"
	"context"
	"encoding/hex"
	"slices"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/google/uuid"
)

// What one user may try within a day, so that nobody tests stolen passwords
// through us.
const (
	maxFailures = 10
	maxAccounts = 3
	day         = 24 * time.Hour
)

// Pauses after a 429 that does not say how long it lasts. Garmin does not
// document its limits; Cloudflare's rate-limit rules count in minutes to an hour.
const defaultCoolDown = 15 * time.Minute

// Waiting for another request that asks Garmin the same.
const pollInterval = 250 * time.Millisecond

// echoTime is how late the second click of a double click may come: a second
// login would have Garmin mail a second code and void the first.
const echoTime = 5 * time.Second

// duplicateOf is the login that this one repeats: one under way, or one that
// has just ended and whose result still stands.
func duplicateOf(recent []Login, mac []byte, r *Record) *Login {
	for i := range recent {
		l := &recent[i]
		if !bytes.Equal(l.EmailMAC, mac) {
			continue
		}
		stands := l.Outcome == outcomeChallenge && r.Challenge != nil ||
			l.Outcome == outcomeLinked && r.State.Session == Live ||
			l.Outcome == string(RateLimited)
		if l.Outcome == "" || stands && r.Now.Sub(l.EndedAt) < echoTime {
			return l
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
	var failures []time.Time
	others := map[string]time.Time{} // e-mail -> its last use
	for _, l := range recent {
		if l.Outcome == string(WrongPassword) || l.Outcome == string(AccountLocked) {
			failures = append(failures, l.StartedAt)
		}
		if !bytes.Equal(l.EmailMAC, mac) && l.StartedAt.After(others[string(l.EmailMAC)]) {
			others[string(l.EmailMAC)] = l.StartedAt
		}
	}
	if len(failures) >= maxFailures {
		slices.SortFunc(failures, time.Time.Compare)
		return &Error{Kind: TooManyFailures, RetryAfter: failures[len(failures)-maxFailures].Add(day).Sub(now)}
	}
	if !known && len(others) >= maxAccounts {
		return &Error{Kind: TooManyAccounts, RetryAfter: earliest(others).Add(day).Sub(now)}
	}
	return nil
}

func earliest(uses map[string]time.Time) time.Time {
	var first time.Time
	for _, t := range uses {
		if first.IsZero() || t.Before(first) {
			first = t
		}
	}
	return first
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
			return s.View(ctx, act.User)
		case outcomeWithdrawn:
			return Link{}, fail(Superseded)
		default:
			return Link{}, &Error{Kind: Kind(l.Outcome), RetryAfter: l.RetryAfter()}
		}
		if err := pause(ctx, pollInterval); err != nil {
			return Link{}, fail(InProgress)
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Cool-downs are shared by all replicas: they mostly leave by one address, and
// one that goes on asking prolongs the limit for all.
func addressKey(region garmin.Region) string { return "garmin/address/" + string(region) }
func accountKey(mac []byte) string           { return "garmin/account/" + hex.EncodeToString(mac) }

// coolingDown fails with RateLimited while Garmin must not be asked.
func (s *Service) coolingDown(ctx context.Context, region garmin.Region, mac []byte) error {
	left, err := s.limits.Cooling(ctx, addressKey(region), accountKey(mac))
	if err != nil {
		return err
	}
	if left > 0 {
		return &Error{Kind: RateLimited, RetryAfter: left}
	}
	return nil
}

// refused translates Garmin's refusal and starts the cool-down that it asks
// for. mac may be nil where no account is being signed in to.
func (s *Service) refused(ctx context.Context, region garmin.Region, mac []byte, cause error) *Error {
	e := translate(cause)
	if e.Kind != RateLimited {
		return e
	}
	wait := retryAfter(cause)
	key := addressKey(region)
	if garmin.KindOf(cause) == garmin.KindClientLimited && mac != nil {
		key = accountKey(mac)
	}
	if err := s.limits.Cool(ctx, key, wait); err != nil {
		s.log.ErrorContext(ctx, "cool-down not kept", "error", err)
	}
	e.RetryAfter = wait
	return e
}
