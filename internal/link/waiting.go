package link

import (
	"context"
	"errors"
	"time"
)

// persist saves what cannot be had again: it goes on trying, whatever the
// caller does, until the database takes it or the Service is closed. A fault
// that is not the database's absence is tried some times, as it may pass. again
// says that the last try may have been committed though its answer was lost.
func (s *Service) persist(ctx context.Context, save func(again bool) error) error {
	wait := 100 * time.Millisecond
	for try := 0; ; try++ {
		err := save(try > 0)
		down := errors.Is(err, ErrStoreDown)
		if err == nil || KindOf(err) != "" || errors.Is(err, ErrNotFound) || !down && try == faultTries {
			return err
		}
		s.log.ErrorContext(ctx, "what Garmin granted is not saved yet", "error", err)
		if pause(s.closing, wait) != nil {
			return err
		}
		wait = min(2*wait, 5*time.Second)
	}
}

const faultTries = 4

// pollInterval is for waiting until another request has asked Garmin the same.
const pollInterval = 250 * time.Millisecond

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
