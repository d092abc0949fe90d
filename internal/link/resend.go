package link

import (
	"context"
	"errors"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/google/uuid"
)

// ResendCode asks Garmin for a new code of the same challenge; uuid.Nil means
// whichever is pending. It fails with NoChallenge, InProgress, ResendTooSoon,
// NoResend and what Garmin may refuse. The challenge stands after all of these
// but ChallengeGone.
func (s *Service) ResendCode(ctx context.Context, act Act, id uuid.UUID) (Link, error) {
	pending, err := s.claim(ctx, act, id, waitForResend)
	if err != nil {
		return Link{}, err
	}
	ctx = context.WithoutCancel(ctx)
	step, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	if err := s.resend(step, act, pending); err != nil {
		return Link{}, err
	}
	return s.View(ctx, act)
}

func waitForResend(r *Record) (refusal, fault error) {
	if wait := r.Challenge.SentAt.Add(resendPause).Sub(r.Now); wait > 0 {
		return &Error{Kind: ResendTooSoon, RetryAfter: wait}, nil
	}
	return nil, nil
}

func (s *Service) resend(ctx context.Context, act Act, pending PendingChallenge) error {
	challenge, fault := s.vault.openChallenge(act.User, pending.ID, pending.Sealed)
	if fault == nil {
		fault = s.garmin.ResendCode(ctx, challenge)
	}
	var sealed Sealed
	if challenge != nil {
		var err error
		if sealed, err = s.vault.sealChallenge(act.User, pending.ID, challenge); err != nil {
			return err
		}
	}
	err := s.release(ctx, act, pending, func(r *Record) error {
		if garmin.KindOf(fault) == garmin.KindChallengeGone {
			return r.move(Expired)
		}
		if !sealed.IsZero() {
			r.Challenge.Sealed = sealed // with the cookies that came meanwhile
		}
		if fault == nil || mayHaveWorked(fault) {
			r.Challenge.SentAt = r.Now
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.told(ctx, garmin.Region(pending.Region), pending.GarminEmail, fault)
}

// told passes our own faults on, and translates Garmin's refusals.
func (s *Service) told(ctx context.Context, region garmin.Region, email string, err error) error {
	if _, ok := errors.AsType[*garmin.Error](err); !ok {
		return err
	}
	return s.refused(ctx, region, s.vault.emailMAC(email), err)
}

// mayHaveWorked reports that Garmin may have acted on a request whose answer
// did not arrive.
func mayHaveWorked(err error) bool {
	e, ok := errors.AsType[*garmin.Error](err)
	return ok && e.Sent()
}

// pause waits for d, or until ctx ends.
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
