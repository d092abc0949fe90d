package link

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
)

// Pauses after a 429 that does not say how long it lasts. Garmin does not
// document its limits; Cloudflare's rate-limit rules count in minutes to an hour.
const defaultCoolDown = 15 * time.Minute

// Cool-downs are shared by all replicas: they mostly leave by one address, and
// one that goes on asking prolongs the limit for all.
func addressKey(region garmin.Region) string { return "garmin/address/" + string(region) }
func accountKey(mac []byte) string           { return "garmin/account/" + hex.EncodeToString(mac) }

// coolingDown fails with RateLimited while Garmin must not be asked.
func (s *Service) coolingDown(ctx context.Context, region garmin.Region, mac []byte) error {
	left, err := s.limits.Cooling(ctx, addressKey(region), accountKey(mac))
	if err != nil {
		return err
	}
	if left > 0 {
		return &Error{Kind: RateLimited, RetryAfter: left}
	}
	return nil
}

// refused translates Garmin's refusal and starts the cool-down that it asks
// for: of our address, or of the account that mac stands for.
func (s *Service) refused(ctx context.Context, region garmin.Region, mac []byte, cause error) *Error {
	e := translate(cause)
	if e.Kind != RateLimited {
		return e
	}
	wait := retryAfter(cause)
	key := accountKey(mac)
	if garmin.KindOf(cause) == garmin.KindRateLimited {
		key = addressKey(region)
	}
	if err := s.limits.Cool(ctx, key, wait); err != nil {
		s.log.ErrorContext(ctx, "cool-down not kept", "error", err)
	}
	e.RetryAfter = wait
	return e
}

// told passes our own faults on, and translates Garmin's refusals.
func (s *Service) told(ctx context.Context, region garmin.Region, email string, err error) error {
	if _, ok := errors.AsType[*garmin.Error](err); !ok {
		return err
	}
	return s.refused(ctx, region, s.vault.emailMAC(email), err)
}

// retryAfter is how long Garmin wants to be left alone.
func retryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*garmin.Error](err); ok && e.RetryAfter > 0 {
		return e.RetryAfter
	}
	return defaultCoolDown
}
