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
