package link

import (
	"context"

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
	challenge, fault := s.vault.openChallenge(act, pending.ID, pending.Sealed)
	if fault == nil {
		fault = s.garmin.ResendCode(ctx, challenge)
	}
	var sealed Sealed
	if challenge != nil {
		var err error
		if sealed, err = s.vault.sealChallenge(act, pending.ID, challenge); err != nil {
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
