package link

import (
	"context"
	"errors"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
)

const (
	// doubtTime must lie between two refusals where a refresh of another
	// process may have succeeded unseen.
	doubtTime = 2 * time.Minute
	// legacyDoubtTime must lie between two refusals of an OAuth1 token: that
	// exchange can be repeated, and one refusal can be of the signature.
	legacyDoubtTime = time.Minute
	// lentDoubtTime is what a program that took out what renews the session
	// has to bring back what came of it.
	lentDoubtTime = time.Hour
)

// doubtOf is how far apart two refusals must be to be believed; zero: one is
// enough.
func (s *Service) doubtOf(ctx context.Context, r Record, claim RefreshClaim, refusal error) (time.Duration, error) {
	if garmin.KindOf(refusal) != garmin.KindGrantDead {
		return 0, nil
	}
	e, _ := errors.AsType[*garmin.Error](refusal)
	if e.Host == apiHost { // DI sessions are renewed elsewhere
		return legacyDoubtTime, nil
	}
	lent, err := s.store.LentWithRenewal(ctx, r.User, r.Session.Generation)
	switch {
	case lent:
		return lentDoubtTime, err
	case claim.Unfinished:
		return doubtTime, err
	default:
		return 0, err
	}
}

// mayJudge reports whether a refusal of the stored session is to be believed.
func (r *Record) mayJudge(doubt time.Duration) bool {
	return doubt == 0 || !r.GrantRefusedAt.IsZero() && r.Now.Sub(r.GrantRefusedAt) >= doubt
}

// judge believes a refused grant only where no other refresh may have
// succeeded unseen, and not while the mass brake is on; else the refusal is
// only noted. A session that moved on meanwhile is adopted instead.
func (s *Service) judge(ctx context.Context, act Act, seen Record, doubt time.Duration, cause error) (refreshed, error) {
	believed, held := seen.mayJudge(doubt), false
	if believed {
		var err error
		if held, err = s.braked(ctx); err != nil {
			return refreshed{}, err
		}
	}
	if held {
		believed, doubt = false, brakeAgain
	}
	var adopted refreshed
	var verdict error
	err := s.update(ctx, act, func(r *Record) error {
		switch {
		case r.LeaseOwner != seen.LeaseOwner || r.Session.Generation != seen.Session.Generation:
			adopted, verdict = s.current(*r)
			return nil
		case !believed:
			verdict = &Error{Kind: Unavailable, RetryAfter: doubt, Err: cause}
			r.noteRefusal(doubt, held)
			return nil
		}
		verdict = &Error{Kind: ReauthNeeded, Err: cause}
		r.Reason = GrantRefused
		return r.move(Rejected)
	})
	if err != nil {
		return refreshed{}, err
	}
	return adopted, verdict
}

// noteRefusal notes the first refusal, from which doubt counts; of one that was
// held back the last, by which the brake counts.
func (r *Record) noteRefusal(again time.Duration, held bool) {
	r.release()
	if held || r.GrantRefusedAt.IsZero() {
		r.GrantRefusedAt = r.Now
	}
	r.NextCheck = r.Now.Add(again)
}
