package link

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/limit"
	"github.com/google/uuid"
	"golang.org/x/sync/singleflight"
)

const (
	maxAttempts   = 5                // codes for one challenge
	challengeLife = 10 * time.Minute // Garmin's own is not known; its codes are said to last 30 minutes
	candidateLife = 10 * time.Minute
	resendPause   = 30 * time.Second // what Garmin's own page allows

	// stepTime bounds all calls to Garmin within one request; claimTime is
	// how long a claim stands for a process that died meanwhile.
	stepTime  = 60 * time.Second
	claimTime = 75 * time.Second
	storeTime = 10 * time.Second // for one transaction
)

var noID uuid.UUID

// Service moves links through their states.
type Service struct {
	// ReturnURLs are where connect sessions may send users back to. Set them
	// before use.
	ReturnURLs ReturnURLs

	store   Store
	garmin  *garmin.Client
	budget  limit.Rate
	clock   clock
	vault   *Vault
	limits  limit.Limiter
	log     *slog.Logger
	flights singleflight.Group
	working sync.WaitGroup // refreshes, which outlive those who asked for them
	closing context.Context
	giveUp  context.CancelFunc
}

// New returns a Service that asks Garmin as o says, each host as often as the
// budget allows. What o leaves out it adds: the OAuth1 consumer is fetched once
// and kept for all replicas. Each attempt goes on record, besides to o.Report.
//
// Close it when no call is under way any more, or when the shutdown grace is
// over.
func New(store Store, o garmin.Options, budget limit.Rate, vault *Vault, limits limit.Limiter, log *slog.Logger) *Service {
	s := &Service{store: store, budget: budget, vault: vault, limits: limits, log: log}
	o.Transport = outbound{next: cmp.Or(o.Transport, http.DefaultTransport), limits: limits, budget: budget, log: log}
	s.clock.own = time.Now
	if o.Now != nil {
		s.clock.own = o.Now
	}
	o.Now = s.clock.now
	if o.Consumer == nil {
		o.Consumer = s.consumer
	}
	o.Report = s.reportTo(o.Report)
	o.Wait = s.tellPause(o.Wait)
	s.garmin = garmin.New(o)
	s.closing, s.giveUp = context.WithCancel(context.Background())
	return s
}

// Close waits for refreshes under way, and gives up saving what the database
// does not take now.
func (s *Service) Close() {
	s.giveUp()
	s.working.Wait()
}

// View tells of a user's link, and ends what has run out of time. A user without
// a link has one in the zero State.
func (s *Service) View(ctx context.Context, act Act) (Link, error) {
	r, err := s.store.Record(ctx, act.User)
	if err != nil {
		return Link{}, err
	}
	if !r.due() {
		return r.view(act), nil
	}
	if err := s.update(ctx, act, func(*Record) error { return nil }); err != nil {
		return Link{}, err
	}
	if r, err = s.store.Record(ctx, act.User); err != nil {
		return Link{}, err
	}
	return r.view(act), nil
}

// update changes a record after what has run out of time was ended. It has a
// time of its own: what Garmin has answered is written down even if the caller
// left, or if Garmin used up the time.
func (s *Service) update(ctx context.Context, act Act, decide func(*Record) error) error {
	return s.write(ctx, act, func(r *Record) error {
		if err := r.settle(); err != nil {
			return err
		}
		return decide(r)
	})
}

func (s *Service) write(ctx context.Context, act Act, decide func(*Record) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	defer cancel()
	err := s.store.Update(ctx, act, func(r *Record) error {
		former := r.Candidate
		if err := decide(r); err != nil {
			return err
		}
		r.displace(former, act)
		return nil
	})
	switch {
	case errors.Is(err, ErrAccountTaken):
		return &Error{Kind: AccountTaken, Err: err}
	case err != nil && ctx.Err() != nil:
		return errors.Join(ErrStoreDown, err)
	default:
		return err
	}
}

// Cancel gives a pending challenge up; what stood before stands again. It is
// no error if none is pending: the user has what he wants.
func (s *Service) Cancel(ctx context.Context, act Act) (Link, error) {
	err := s.update(ctx, act, func(r *Record) error {
		if r.challengeOf(act) == nil {
			return nil
		}
		return r.move(Cancelled)
	})
	if err != nil {
		return Link{}, err
	}
	return s.View(ctx, act)
}

// Unlink removes the link and all that could open the account, connect sessions
// included. It is no error
// if there is none.
func (s *Service) Unlink(ctx context.Context, act Act) error {
	return s.update(ctx, act, func(r *Record) error {
		r.Candidate, r.EndConnects = nil, true
		if r.Login != nil {
			r.Login.Withdrawn = true // it still counts as one under way
		}
		if r.State == (State{}) {
			return nil
		}
		return r.move(Unlinked)
	})
}

// Replace answers whether the candidate may take the linked account's place;
// under a connect session it can only be thrown away.
// candidate is the generation that the form named; 0 means whichever waits.
// It fails with NoCandidate and AccountTaken.
func (s *Service) Replace(ctx context.Context, act Act, candidate int64, yes bool) (Link, error) {
	err := s.update(ctx, act, func(r *Record) error {
		c := r.candidateOf(act)
		if c == nil || candidate != 0 && candidate != c.Session.Generation {
			return fail(NoCandidate)
		}
		if yes && act.Connect != noID {
			return fail(NoCandidate) // its host says so, by Complete
		}
		r.Candidate = nil
		if !yes {
			return nil
		}
		return s.accept(r, c)
	})
	if err != nil {
		return Link{}, err
	}
	return s.View(ctx, act)
}

// accept makes a candidate the link's session.
func (s *Service) accept(r *Record, c *SealedCandidate) error {
	session, err := s.vault.openCandidate(r.User, c)
	if err != nil {
		return err
	}
	return s.adopt(r, LoginDone, arrival{
		session: session, email: c.GarminEmail, proved: c.ProvedAt,
		profile: garmin.Profile{GUID: c.GarminGUID, DisplayName: c.GarminName},
	})
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }
