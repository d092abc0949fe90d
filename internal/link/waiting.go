package link

import (
	"context"
	"errors"
	"time"
)

// persist saves what cannot be had again: it goes on trying, whatever the
// caller does, until the database answers or the Service is closed. again says
// that the last try may have been committed though its answer was lost.
func (s *Service) persist(ctx context.Context, save func(again bool) error) error {
	wait := 100 * time.Millisecond
	for again := false; ; again = true {
		err := save(again)
		if !errors.Is(err, ErrStoreDown) {
			return err
		}
		s.log.ErrorContext(ctx, "what Garmin granted is not saved yet", "error", err)
		if pause(s.closing, wait) != nil {
			return err
		}
		wait = min(2*wait, 5*time.Second)
	}
}

// pollInterval is for waiting until another request has asked Garmin the same.
const pollInterval = 250 * time.Millisecond

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
