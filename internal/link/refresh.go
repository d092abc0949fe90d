package link

import (
	"context"
	"strconv"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/google/uuid"
)

const (
	refreshTime = 50 * time.Second // for the calls of one refresh
	leaseTime   = 65 * time.Second // longer than refreshTime and a transaction
	loserTime   = 20 * time.Second // how long the loser of a lease waits for the winner
)

// proofTime is when a new session must have been proved to work, if the one who
// obtained it dies before he has.
const proofTime = 5 * time.Minute

type refreshed struct {
	session    *garmin.Session
	generation int64
}

// refresh is the one way to new tokens. It returns a session newer than the
// generation seen, whoever obtained it: of all who ask, over all replicas, one
// asks Garmin and the others share what came of it. It fails with ReauthNeeded
// when the grant is dead, NotLinked when the link is gone, and Unavailable and
// RateLimited, which change nothing.
//
// Once the old token was sent it may be dead, so the work is detached from
// ctx: it ends, and is saved, even if nobody waits for it any more.
func (s *Service) refresh(ctx context.Context, act Act, seen int64) (*garmin.Session, int64, error) {
	key := act.User.String() + "/" + strconv.FormatInt(seen, 10)
	flight := s.flights.DoChan(key, func() (any, error) {
		s.working.Add(1)
		defer s.working.Done()
		return s.refreshOnce(context.WithoutCancel(ctx), act, seen)
	})
	select {
	case <-ctx.Done():
		return nil, 0, &Error{Kind: Unavailable, Err: ctx.Err()}
	case landed := <-flight:
		r, _ := landed.Val.(refreshed)
		return r.session, r.generation, landed.Err
	}
}

func (s *Service) refreshOnce(ctx context.Context, act Act, seen int64) (refreshed, error) {
	owner := newID()
	claim, claimed, err := s.store.ClaimRefresh(ctx, act.User, seen, owner, leaseTime)
	if err != nil {
		return refreshed{}, err
	}
	r, err := s.store.Record(ctx, act.User)
	switch {
	case err != nil:
		return refreshed{}, err
	case claimed && r.LeaseOwner == owner: // else the link moved on between the two
		s.clock.set(r.Now)
		failpoint("after-claim")
		return s.redeem(ctx, act, r, claim)
	default:
		return s.awaitRefresh(ctx, r, seen)
	}
}

// awaitRefresh waits for the one who holds the lease. If he fails, so does
// this: asking Garmin again right away would not help.
func (s *Service) awaitRefresh(ctx context.Context, r Record, seen int64) (refreshed, error) {
	ctx, cancel := context.WithTimeout(ctx, loserTime)
	defer cancel()
	for r.State.Session == Live && r.Session.Generation == seen {
		if !r.leased() || pause(ctx, pollInterval) != nil {
			return refreshed{}, fail(Unavailable)
		}
		var err error
		if r, err = s.store.Record(ctx, r.User); err != nil {
			return refreshed{}, err
		}
	}
	return s.current(r)
}

func (r *Record) leased() bool { return r.LeaseOwner != noID && r.Now.Before(r.LeaseUntil) }

// current is what another has left behind.
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

// redeem asks Garmin under the lease that r shows. The stored session is tried
// first; the one before it only when that is refused.
func (s *Service) redeem(ctx context.Context, act Act, r Record, claim RefreshClaim) (refreshed, error) {
	step, cancel := context.WithTimeout(ctx, refreshTime)
	defer cancel()
	sent := r.Session
	next, err := s.exchange(step, act, r, sent)
	doubt, failed := s.doubtOf(ctx, r, claim, err)
	if failed != nil {
		return refreshed{}, s.yield(ctx, act, r.LeaseOwner, claim.Unfinished, failed)
	}
	if garmin.KindOf(err) == garmin.KindGrantDead && r.mayJudge(doubt) && !r.Previous.IsZero() {
		sent = r.Previous
		next, err = s.exchange(step, act, r, sent)
	}
	switch {
	case err == nil:
		failpoint("after-answer")
		return s.saveRefreshed(ctx, act, r.Session.Generation, claim, next, sent)
	case garmin.KindOf(err) == garmin.KindGrantDead:
		return s.judge(ctx, act, r, doubt, err)
	default:
		unknown := claim.Unfinished || mayHaveWorked(err)
		return refreshed{}, s.yield(ctx, act, r.LeaseOwner, unknown, s.told(ctx, garmin.Region(r.Region), r.GarminEmail, err))
	}
}

func (s *Service) exchange(ctx context.Context, act Act, r Record, sent SealedSession) (*garmin.Session, error) {
	session, err := s.vault.openSession(r.User, kindSession, sent)
	if err != nil {
		return nil, err
	}
	return asking(ctx, s, act, "refresh", r.Region, session, s.garmin.Refresh)
}

// saveRefreshed keeps the new session, and the one that was sent as previous
// until the new one has worked. A session that moved on meanwhile (the user's
// own login, an unlink) wins, and the new one is thrown away.
func (s *Service) saveRefreshed(ctx context.Context, act Act, seen int64, claim RefreshClaim, next *garmin.Session, sent SealedSession) (refreshed, error) {
	result := refreshed{next, claim.Generation}
	err := s.persist(ctx, func(bool) error {
		return s.update(ctx, act, func(r *Record) error {
			switch r.Session.Generation {
			case claim.Generation: // a try before this one was committed
				return nil
			case seen:
				sealed, err := s.vault.sealSession(r.User, kindSession, claim.Generation, next, r.Now)
				if err != nil {
					return err
				}
				err = r.renew(sealed, next, sent)
				failpoint("before-commit")
				return err
			default:
				var err error
				result, err = s.current(*r)
				return err
			}
		})
	})
	if err == nil {
		failpoint("after-commit")
	}
	return result, err
}

func (r *Record) renew(next SealedSession, s *garmin.Session, sent SealedSession) error {
	since, last := r.APIRefusedSince, r.APIRefusedAt
	for _, held := range []SealedSession{r.Session, r.Previous} {
		if held.Generation == sent.Generation {
			sent = held // it may have been sealed anew meanwhile
		}
	}
	if err := r.hold(next, s); err != nil {
		return err
	}
	r.Previous, r.RefreshedAt, r.NextCheck = sent, r.Now, r.Now.Add(proofTime)
	r.APIRefusedSince, r.APIRefusedAt = since, last
	return nil
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
