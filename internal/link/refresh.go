package link

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/google/uuid"
)

const (
	refreshTime = 50 * time.Second // shorter than the lease of 60 s that the store grants
	loserTime   = 20 * time.Second // how long the loser of a lease waits for the winner

	// doubtTime must lie between two refusals where a refresh of another
	// process may have succeeded unseen.
	doubtTime = 2 * time.Minute
)

type refreshed struct {
	session    *garmin.Session
	generation int64
}

// refresh is the one way to new tokens. It returns a session newer than the
// generation seen, whoever obtained it. Exactly one call reaches Garmin,
// however many ask, over all replicas. It fails with ReauthNeeded when the
// grant is dead, NotLinked when the link is gone, and Unavailable and
// RateLimited, which change nothing.
func (s *Service) refresh(ctx context.Context, act Act, seen int64) (*garmin.Session, int64, error) {
	key := act.User.String() + "/" + strconv.FormatInt(seen, 10)
	v, err, _ := s.flights.Do(key, func() (any, error) {
		// Detached: once the old token was sent it may be dead, so the new
		// one must be received and saved even if nobody waits for it.
		return s.refreshOnce(context.WithoutCancel(ctx), act, seen)
	})
	if err != nil {
		return nil, 0, err
	}
	r := v.(refreshed)
	return r.session, r.generation, nil
}

func (s *Service) refreshOnce(ctx context.Context, act Act, seen int64) (refreshed, error) {
	deadline, cancel := context.WithTimeout(ctx, loserTime)
	defer cancel()
	owner := newID()
	for {
		claim, claimed, err := s.store.ClaimRefresh(ctx, act.User, seen, owner)
		if err != nil {
			return refreshed{}, err
		}
		r, err := s.store.Record(ctx, act.User)
		if err != nil {
			return refreshed{}, err
		}
		if claimed {
			return s.redeem(ctx, act, r, claim, owner)
		}
		if r.State.Session != Live || r.Session.Generation != seen {
			return s.current(r)
		}
		if pause(deadline, pollInterval) != nil {
			return refreshed{}, fail(Unavailable)
		}
	}
}

// current is what another refresher left behind.
func (s *Service) current(r Record) (refreshed, error) {
	switch r.State.Session {
	case None:
		return refreshed{}, fail(NotLinked)
	case Dead:
		return refreshed{}, fail(ReauthNeeded)
	}
	session, err := s.vault.openSession(r.User, kindSession, r.Session)
	return refreshed{session, r.Session.Generation}, err
}

// redeem asks Garmin under the lease. The stored session is tried first; the
// one before it only when that is refused.
func (s *Service) redeem(ctx context.Context, act Act, r Record, claim RefreshClaim, owner uuid.UUID) (refreshed, error) {
	session, err := s.vault.openSession(r.User, kindSession, r.Session)
	if err != nil {
		return refreshed{}, s.yield(ctx, act, owner, claim.Unfinished, err)
	}
	call, cancel := context.WithTimeout(ctx, refreshTime)
	defer cancel()
	next, err := s.garmin.Refresh(call, session)
	if garmin.KindOf(err) == garmin.KindGrantDead && r.mayJudge(claim) {
		next, err = s.redeemPrevious(call, r, err)
	}
	switch {
	case err == nil:
		return s.saveRefreshed(ctx, act, r.Session.Generation, claim, next)
	case garmin.KindOf(err) == garmin.KindGrantDead:
		return refreshed{}, s.judge(ctx, act, r, claim, owner, err)
	default:
		unknown := claim.Unfinished || mayHaveWorked(err)
		return refreshed{}, s.yield(ctx, act, owner, unknown, s.refused(ctx, session.Region(), nil, err))
	}
}

func mayHaveWorked(err error) bool {
	e, ok := errors.AsType[*garmin.Error](err)
	return ok && e.Sent()
}

// mayJudge reports whether a refusal of the stored session is to be believed:
// at once if no other refresh may have succeeded unseen, else at the second
// refusal.
func (r *Record) mayJudge(claim RefreshClaim) bool {
	return !claim.Unfinished || !r.GrantRefusedAt.IsZero() && r.Now.Sub(r.GrantRefusedAt) >= doubtTime
}

func (s *Service) redeemPrevious(ctx context.Context, r Record, refusal error) (*garmin.Session, error) {
	if r.Previous.IsZero() {
		return nil, refusal
	}
	previous, err := s.vault.openSession(r.User, kindSession, r.Previous)
	if err != nil {
		return nil, err
	}
	return s.garmin.Refresh(ctx, previous)
}

// saveRefreshed keeps the new session, and the one that was sent as previous
// until the new one has worked. A session that moved on meanwhile (the user's
// own login, an unlink) wins, and the new one is thrown away.
func (s *Service) saveRefreshed(ctx context.Context, act Act, seen int64, claim RefreshClaim, next *garmin.Session) (refreshed, error) {
	sealed, err := s.vault.sealSession(act.User, kindSession, claim.Generation, next)
	if err != nil {
		return refreshed{}, err
	}
	result := refreshed{next, claim.Generation}
	err = s.persist(ctx, func(ctx context.Context) error {
		return s.update(ctx, act, func(r *Record) error {
			if r.Session.Generation == seen {
				r.renew(sealed)
			}
			if r.Session.Generation == claim.Generation {
				return nil
			}
			var err error
			result, err = s.current(*r)
			return err
		})
	})
	return result, err
}

func (r *Record) renew(next SealedSession) {
	previous := r.Session
	since := r.APIRefusedSince
	check := r.NextCheck
	r.dropSession()
	r.Session, r.Previous = next, previous
	r.APIRefusedSince, r.NextCheck, r.RefreshedAt = since, check, r.Now
}

// yield gives the lease back without a new session. The intent stays where
// Garmin may have acted on a request whose answer nobody saw.
func (s *Service) yield(ctx context.Context, act Act, owner uuid.UUID, unknown bool, cause error) error {
	err := s.update(ctx, act, func(r *Record) error {
		if r.LeaseOwner != owner {
			return nil
		}
		r.release()
		if !unknown {
			r.Intent, r.IntentAt = 0, time.Time{}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return cause
}

// judge believes a refused grant only where no other refresh may have
// succeeded unseen; a first refusal in doubt is only noted.
func (s *Service) judge(ctx context.Context, act Act, seen Record, claim RefreshClaim, owner uuid.UUID, cause error) error {
	result := &Error{Kind: ReauthNeeded, Err: cause}
	err := s.update(ctx, act, func(r *Record) error {
		if r.LeaseOwner != owner || r.Session.Generation != seen.Session.Generation {
			result = fail(Unavailable) // moved on: the next look finds the new session
			return nil
		}
		if !seen.mayJudge(claim) {
			result = &Error{Kind: Unavailable, RetryAfter: doubtTime, Err: cause}
			r.release()
			if r.GrantRefusedAt.IsZero() {
				r.GrantRefusedAt = r.Now
			}
			return nil
		}
		r.Reason = GrantRefused
		return r.move(Rejected)
	})
	if err != nil {
		return err
	}
	return result
}
