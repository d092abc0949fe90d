package link

import (
	"context"
	"errors"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
)

// consumerLife is how long the OAuth1 consumer is kept before it is fetched
// again. It has been the same since garth first published it.
const consumerLife = 30 * 24 * time.Hour

// consumer is the OAuth1 consumer for all replicas: fetched from where it is
// published when one is first needed, and kept. An old one serves while a newer
// one cannot be had.
func (s *Service) consumer(ctx context.Context) (garmin.Consumer, error) {
	held, age, err := s.heldConsumer(ctx)
	known := err == nil
	if known && age < consumerLife || errors.Is(err, ErrStoreDown) {
		return held, err
	}
	fetched, err := s.garmin.FetchConsumer(ctx)
	switch {
	case err == nil:
		return fetched, s.keepConsumer(ctx, fetched)
	case known:
		s.log.WarnContext(ctx, "the OAuth1 consumer is old, and no newer one can be had", "error", err)
		return held, nil
	default:
		return garmin.Consumer{}, err
	}
}

// heldConsumer is the one in the database, if it can be opened.
func (s *Service) heldConsumer(ctx context.Context) (c garmin.Consumer, age time.Duration, err error) {
	kept, err := s.store.Consumer(ctx)
	if err != nil {
		return garmin.Consumer{}, 0, err
	}
	c, err = s.vault.openConsumer(kept)
	return c, kept.Now.Sub(kept.FetchedAt), err
}

func (s *Service) keepConsumer(ctx context.Context, c garmin.Consumer) error {
	sealed, err := s.vault.sealConsumer(c)
	if err != nil {
		return err
	}
	return s.store.KeepConsumer(ctx, sealed)
}
