package link

import (
	"context"
	"strings"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/google/uuid"
)

// SubmitCode gives Garmin the code of a pending challenge; uuid.Nil means
// whichever is pending. Of several calls at once one asks Garmin; the others
// wait for its result.
//
// It fails with InvalidCode, NoChallenge, ChallengeGone, AttemptsGone,
// WrongCode, and what Garmin may refuse. An attempt that Garmin did not judge
// is given back.
func (s *Service) SubmitCode(ctx context.Context, act Act, challenge uuid.UUID, code string) (Link, error) {
	code = strings.NewReplacer(" ", "", "-", "", "\u00a0", "").Replace(code)
	if !isCode(code) {
		return Link{}, fail(InvalidCode)
	}
	pending, err := s.claimAttempt(ctx, act, challenge)
	if KindOf(err) == InProgress {
		return s.awaitAttempt(ctx, act)
	}
	if err != nil {
		return Link{}, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stepTime)
	defer cancel()
	if err := s.tryCode(ctx, act, pending, code); err != nil {
		return Link{}, err
	}
	return s.View(ctx, act.User)
}

func isCode(code string) bool {
	return len(code) >= 4 && len(code) <= 10 && strings.Trim(code, "0123456789") == ""
}

// claimAttempt takes one attempt while time is left. What it claims is charged
// even if the process dies.
func (s *Service) claimAttempt(ctx context.Context, act Act, id uuid.UUID) (PendingChallenge, error) {
	claim := newID()
	var claimed PendingChallenge
	var refusal error
	err := s.store.Update(ctx, act, func(r *Record) error {
		c := r.Challenge
		switch {
		case c == nil && r.justProved():
			refusal = fail(InProgress) // the other tab's code was right a moment ago
		case c == nil || id != noID && id != c.ID:
			refusal = fail(NoChallenge)
		case c.claimed(r.Now):
			refusal = fail(InProgress)
		case c.expired(r.Now):
			refusal = fail(ChallengeGone)
			return r.move(Expired)
		case c.Attempts >= maxAttempts:
			refusal = fail(AttemptsGone)
			return r.move(AttemptsSpent)
		default:
			c.Attempts++
			c.Claim, c.ClaimedUntil = claim, r.Now.Add(claimTime)
			claimed = *c
		}
		return nil
	})
	if err != nil {
		return PendingChallenge{}, err
	}
	return claimed, refusal
}

func (s *Service) tryCode(ctx context.Context, act Act, pending PendingChallenge, code string) error {
	challenge, err := s.vault.openChallenge(act.User, pending.ID, pending.Sealed)
	if err != nil {
		return s.giveBack(ctx, act, pending, err)
	}
	ticket, err := s.garmin.SubmitCode(ctx, challenge, garmin.Secret(code))
	if err != nil {
		return s.codeFailed(ctx, act, pending, challenge, err)
	}
	return s.conclude(ctx, act, fence{claim: pending.Claim}, ticket, pending.GarminEmail)
}

// codeFailed releases the claim: with the attempt charged if Garmin judged the
// code, given back if it did not, and the challenge ended if Garmin ended it.
func (s *Service) codeFailed(ctx context.Context, act Act, pending PendingChallenge, challenge *garmin.Challenge, cause error) error {
	e := s.refused(ctx, challenge.Region, s.vault.emailMAC(pending.GarminEmail), cause)
	sealed, err := s.vault.sealChallenge(act.User, pending.ID, challenge)
	if err != nil {
		return err
	}
	err = s.update(ctx, act, func(r *Record) error {
		c := r.Challenge
		if c == nil || c.Claim != pending.Claim {
			return fail(Superseded)
		}
		c.Sealed = sealed // with the cookies that came meanwhile
		c.Claim, c.ClaimedUntil = noID, time.Time{}
		switch e.Kind {
		case WrongCode:
			if c.Attempts >= maxAttempts {
				e = &Error{Kind: AttemptsGone, Err: cause}
				return r.move(AttemptsSpent)
			}
			e.AttemptsLeft = maxAttempts - c.Attempts
		case ChallengeGone:
			return r.move(Expired)
		case AccountLocked, ChildAccount, NeedsAttention:
			return r.move(Cancelled)
		default:
			c.Attempts--
		}
		return nil
	})
	if err != nil {
		return err
	}
	return e
}

// giveBack returns an attempt that never reached Garmin, for a fault of ours.
func (s *Service) giveBack(ctx context.Context, act Act, pending PendingChallenge, fault error) error {
	err := s.update(ctx, act, func(r *Record) error {
		if c := r.Challenge; c != nil && c.Claim == pending.Claim {
			c.Attempts--
			c.Claim, c.ClaimedUntil = noID, time.Time{}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return fault
}

// awaitAttempt waits until nobody tries a code any more. If the challenge is
// then over, the result shows on the link; if not, this call's own code was
// not tried, and the user may try it.
func (s *Service) awaitAttempt(ctx context.Context, act Act) (Link, error) {
	ctx, cancel := context.WithTimeout(ctx, claimTime)
	defer cancel()
	for {
		r, err := s.store.Record(ctx, act.User)
		if err != nil {
			return Link{}, err
		}
		if r.Challenge == nil {
			return s.View(ctx, act.User)
		}
		if !r.Challenge.claimed(r.Now) {
			return Link{}, fail(InProgress)
		}
		if err := pause(ctx, pollInterval); err != nil {
			return Link{}, fail(InProgress)
		}
	}
}

// ResendCode asks Garmin for a new code of the same challenge. It fails with
// NoChallenge, ResendTooSoon, NoResend and what Garmin may refuse; the
// challenge stays as it is.
func (s *Service) ResendCode(ctx context.Context, act Act, id uuid.UUID) (Link, error) {
	var pending PendingChallenge
	err := s.update(ctx, act, func(r *Record) error {
		c := r.Challenge
		if c == nil || id != noID && id != c.ID {
			return fail(NoChallenge)
		}
		if c.claimed(r.Now) {
			return fail(InProgress)
		}
		if wait := c.SentAt.Add(resendPause).Sub(r.Now); wait > 0 {
			return &Error{Kind: ResendTooSoon, RetryAfter: wait}
		}
		c.SentAt = r.Now
		pending = *c
		return nil
	})
	if err != nil {
		return Link{}, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stepTime)
	defer cancel()
	if err := s.resend(ctx, act, pending); err != nil {
		return Link{}, err
	}
	return s.View(ctx, act.User)
}

func (s *Service) resend(ctx context.Context, act Act, pending PendingChallenge) error {
	challenge, err := s.vault.openChallenge(act.User, pending.ID, pending.Sealed)
	if err != nil {
		return err
	}
	if err := s.garmin.ResendCode(ctx, challenge); err != nil {
		return s.refused(ctx, challenge.Region, s.vault.emailMAC(pending.GarminEmail), err)
	}
	sealed, err := s.vault.sealChallenge(act.User, pending.ID, challenge)
	if err != nil {
		return err
	}
	return s.update(ctx, act, func(r *Record) error {
		if c := r.Challenge; c != nil && c.ID == pending.ID && c.Claim == noID {
			c.Sealed = sealed
		}
		return nil
	})
}
