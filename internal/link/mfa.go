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
	pending, err := s.claim(ctx, act, challenge, takeAttempt)
	if KindOf(err) == InProgress {
		return s.awaitAttempt(ctx, act)
	}
	if err != nil {
		return Link{}, err
	}
	ctx = context.WithoutCancel(ctx)
	step, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	if err := s.tryCode(step, act, pending, code); err != nil {
		return Link{}, err
	}
	return s.View(ctx, act)
}

func isCode(code string) bool {
	return len(code) >= 4 && len(code) <= 10 && strings.Trim(code, "0123456789") == ""
}

// takeAttempt charges one attempt, even if the process dies before Garmin
// judges it.
func takeAttempt(r *Record) (refusal, fault error) {
	if r.Challenge.Attempts >= maxAttempts {
		return fail(AttemptsGone), r.move(AttemptsSpent)
	}
	r.Challenge.Attempts++
	return nil, nil
}

// claim reserves the pending challenge for one request, while time is left.
// take may refuse it, or change it, or end it.
func (s *Service) claim(ctx context.Context, act Act, id uuid.UUID, take func(*Record) (refusal, fault error)) (PendingChallenge, error) {
	if err := s.challengeCoolingDown(ctx, act.User); err != nil {
		return PendingChallenge{}, err
	}
	var claimed PendingChallenge
	var refusal error
	err := s.write(ctx, act, func(r *Record) (fault error) {
		c := r.challengeOf(act)
		switch {
		case c == nil && r.justConcluded():
			refusal = fail(InProgress) // another tab's code was right a moment ago
		case c == nil || id != noID && id != c.ID:
			refusal = fail(NoChallenge)
		case c.claimed(r.Now):
			refusal = fail(InProgress)
		case c.expired(r.Now):
			refusal = fail(ChallengeGone)
			return r.move(Expired)
		default:
			if refusal, fault = take(r); refusal == nil {
				c.Claim, c.ClaimedUntil = newID(), r.Now.Add(claimTime)
				claimed = *c
			}
		}
		return fault
	})
	if err != nil {
		return PendingChallenge{}, err
	}
	return claimed, refusal
}

func (s *Service) challengeCoolingDown(ctx context.Context, user uuid.UUID) error {
	r, err := s.store.Record(ctx, user)
	if err != nil || r.Challenge == nil {
		return err
	}
	return s.signInCoolingDown(ctx, garmin.Region(r.Challenge.Region), r.Challenge.GarminEmail)
}

// release ends a claim and lets change settle the rest. It fails with
// Superseded if the user ended the challenge meanwhile.
func (s *Service) release(ctx context.Context, act Act, pending PendingChallenge, change func(*Record) error) error {
	return s.deliver(ctx, act, fence{claim: pending.Claim}, func(r *Record) error {
		r.Challenge.Claim, r.Challenge.ClaimedUntil = noID, time.Time{}
		return change(r)
	})
}

func (s *Service) tryCode(ctx context.Context, act Act, pending PendingChallenge, code string) error {
	challenge, err := s.vault.openChallenge(act, pending.ID, pending.Sealed)
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
	e := s.refused(ctx, challenge.Region, pending.GarminEmail, cause)
	sealed, err := s.vault.sealChallenge(act, pending.ID, challenge)
	if err != nil {
		return s.giveBack(ctx, act, pending, err)
	}
	err = s.release(ctx, act, pending, func(r *Record) error {
		c := r.Challenge
		c.Sealed = sealed // with the cookies that came meanwhile
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
			return r.move(Failed)
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
	err := s.release(ctx, act, pending, func(r *Record) error {
		r.Challenge.Attempts--
		return nil
	})
	if err != nil {
		return err
	}
	return fault
}

// awaitAttempt waits until nobody uses the challenge any more. If it is then
// over, the result shows on the link; if not, this call's own code was not
// tried, and the user may try it.
func (s *Service) awaitAttempt(ctx context.Context, act Act) (Link, error) {
	ctx, cancel := context.WithTimeout(ctx, claimTime)
	defer cancel()
	for {
		r, err := s.store.Record(ctx, act.User)
		if err != nil {
			return Link{}, err
		}
		if r.Challenge == nil {
			return r.view(act), nil
		}
		if !r.Challenge.claimed(r.Now) || pause(ctx, pollInterval) != nil {
			return Link{}, fail(InProgress)
		}
	}
}
