package notify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/link"
)

const (
	// leaseTime is longer than a claim, an attempt and its record may take.
	leaseTime = time.Minute

	// turnTime is how long Deliver begins attempts. With the last of them it
	// stays within what a worker that ends gives its jobs.
	turnTime = 4 * time.Second

	storeTime = 10 * time.Second // for one statement

	// faultPause is until an endpoint is tried again whose secret no key opens.
	faultPause = 20 * time.Second
)

// Deliver sends what is due to an endpoint, one after the other, until nothing
// is or its turn is over. That a delivery is not taken is no error.
func (s *Service) Deliver(ctx context.Context, endpoint uuid.UUID) error {
	for end := time.Now().Add(turnTime); time.Now().Before(end) && ctx.Err() == nil; {
		c, err := s.claim(ctx, func(ctx context.Context) (Claimed, error) { return s.Store.Claim(ctx, endpoint, leaseTime) })
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := s.attempt(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// claim gives up what comes late: of a lease that has run out meanwhile, a
// message would be sent beside another's.
func (s *Service) claim(ctx context.Context, ask func(context.Context) (Claimed, error)) (Claimed, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	return ask(ctx)
}

// attempt sends what was claimed, and records what came of it even if ctx has
// ended meanwhile.
func (s *Service) attempt(ctx context.Context, c Claimed) (Answer, error) {
	secrets, fault := s.secrets(c)
	a := Answer{Error: "not sent: the secret cannot be opened here", ours: true}
	v := Verdict{State: c.State, Ours: true, Pause: faultPause}
	if fault == nil {
		a = s.sender.post(ctx, c, secrets)
		v = judge(c, a)
	}
	s.Attempted(a.Outcome())
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	defer cancel()
	err := s.Store.Settle(ctx, c, a, v)
	switch {
	case fault != nil:
		return a, errors.Join(fmt.Errorf("notify: the secret of endpoint %s: %w", c.Endpoint, fault), err)
	case err == nil && v.Gone:
		s.Log.WarnContext(ctx, "a webhook endpoint is disabled: it answered 410 Gone", "endpoint", c.Endpoint)
	case err == nil && v.State == GivenUp && c.State == Waiting:
		s.Log.WarnContext(ctx, "a webhook delivery is given up", "endpoint", c.Endpoint, "delivery", c.ID, "attempts", c.Number)
	}
	return a, err
}

func (s *Service) secrets(c Claimed) ([][]byte, error) {
	id := c.Endpoint.String()
	secret, err := s.Vault.OpenAt(link.HeldWebhookSecret, id, c.Secret)
	if err != nil || c.Former.IsZero() {
		return [][]byte{secret}, err
	}
	former, err := s.Vault.OpenAt(link.HeldFormerWebhookSecret, id, c.Former)
	return [][]byte{secret, former}, err
}

// judge says what an answer means for a delivery. A failure takes nothing back
// from one that was delivered or given up before.
func judge(c Claimed, a Answer) Verdict {
	switch {
	case a.ours:
		return Verdict{State: c.State, Ours: true}
	case a.Error == "":
		return Verdict{State: Delivered}
	}
	v := Verdict{State: c.State, Pause: a.RetryAfter, Gone: a.Status == http.StatusGone}
	if c.State != Waiting {
		return v
	}
	wait, again := waitAfter(c.Failures + 1)
	if v.Gone || !again {
		v.State = GivenUp
		return v
	}
	v.Wait = max(wait, a.RetryAfter)
	return v
}
