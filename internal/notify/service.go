package notify

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/link"
)

const (
	// overlapTime is how long a former secret signs too.
	overlapTime = 24 * time.Hour

	// keepTime is how long the log of what was sent goes back.
	keepTime = 30 * 24 * time.Hour
)

// Config is what a Service needs.
type Config struct {
	Store Store
	Vault *link.Vault

	// Allowed are addresses that may be called although they are not public,
	// and without TLS.
	Allowed []netip.Prefix

	// Attempted is called after each attempt with what came of it.
	Attempted func(outcome string)

	Log *slog.Logger
}

// Service tells endpoints of events.
type Service struct {
	Config
	sender *sender
}

// New returns a Service.
func New(c Config) *Service {
	return &Service{Config: c, sender: newSender(c.Allowed, nil, nil)}
}

// Add has an address told of what happens from now on: of events of these
// types, or of all if none is named. The secret that signs is known to the
// caller alone, and only now. It fails with ErrURL and ErrAddressRefused.
func (s *Service) Add(ctx context.Context, url string, events []link.EventType) (Endpoint, link.Secret, error) {
	if err := checkURL(url, s.Allowed); err != nil {
		return Endpoint{}, "", err
	}
	e := Endpoint{ID: newID(), URL: url, Events: events}
	sealed, secret, err := s.fresh(e.ID)
	if err != nil {
		return Endpoint{}, "", err
	}
	return e, secret, s.Store.AddEndpoint(ctx, e, sealed)
}

// Rotate gives an endpoint another secret. For a day the former one signs too.
// It fails with ErrNotFound.
func (s *Service) Rotate(ctx context.Context, endpoint uuid.UUID) (link.Secret, error) {
	sealed, secret, err := s.fresh(endpoint)
	if err != nil {
		return "", err
	}
	return secret, s.Store.Rotate(ctx, endpoint, sealed, overlapTime)
}

func (s *Service) fresh(endpoint uuid.UUID) (link.Sealed, link.Secret, error) {
	secret := newSecret()
	sealed, err := s.Vault.SealAt(link.HeldWebhookSecret, endpoint.String(), secret)
	return sealed, shown(secret), err
}

// Test sends a message that is no event, once. It fails with ErrNotFound and
// ErrDisabled.
func (s *Service) Test(ctx context.Context, endpoint uuid.UUID) (Answer, error) {
	id := newID()
	body, err := testBody(id, time.Now())
	if err != nil {
		return Answer{}, err
	}
	d := Delivery{ID: id, Endpoint: endpoint, Type: testType, Body: string(body), State: GivenUp}
	if err := s.Store.AddTest(ctx, d); err != nil {
		return Answer{}, err
	}
	return s.Resend(ctx, id)
}

// Resend makes one more attempt at once, with the same id. One that waits goes
// on from there; one that was given up and is taken now counts as delivered. It
// fails with ErrNotFound, ErrDisabled and ErrBusy.
func (s *Service) Resend(ctx context.Context, delivery uuid.UUID) (Answer, error) {
	c, err := s.claim(ctx, func(ctx context.Context) (Claimed, error) { return s.Store.ClaimOne(ctx, delivery, leaseTime) })
	if err != nil {
		return Answer{}, err
	}
	return s.attempt(ctx, c)
}

// Due lists the endpoints to which Deliver can send something now, and how many
// deliveries, counted up to most.
func (s *Service) Due(ctx context.Context, most int) ([]Due, error) { return s.Store.Due(ctx, most) }

// Clean forgets what is kept for a time only.
func (s *Service) Clean(ctx context.Context) error { return s.Store.Clean(ctx, keepTime) }

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }
