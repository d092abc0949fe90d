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

// Garmin's hosts limit apart from one another: a server that may not sign in
// can still redeem what the user brings from Garmin's own page.
const (
	signInHost = "sso"
	tokenHost  = "diauth"
	apiHost    = "connectapi"
)

// Keys of cool-downs, for whoever tells operators of them. After a prefix comes
// a host; a region, a slash and the first part of a host; or a mark of an account.
const (
	CoolDowns       = "garmin/"             // all of them
	JudgingCoolDown = CoolDowns + "judging" // the mass brake

	BreakerCoolDowns = CoolDowns + "breaker/"
	AddressCoolDowns = CoolDowns + "address/"
	AccountCoolDowns = CoolDowns + "account/"
)

// Cool-downs are shared by all replicas: they mostly leave by one address, and
// one that goes on asking prolongs the limit for all.
func hostKey(region garmin.Region, host string) string {
	return AddressCoolDowns + string(region) + "/" + host
}

func (s *Service) accountKey(email string) string {
	return AccountCoolDowns + hex.EncodeToString(s.vault.emailMAC(email))
}

// signInCoolingDown fails with RateLimited or TokensLimited while a login with
// this e-mail must not be tried.
func (s *Service) signInCoolingDown(ctx context.Context, region garmin.Region, email string) error {
	if err := s.coolingDown(ctx, region, ""); err != nil {
		return err
	}
	return s.cooling(ctx, RateLimited, hostKey(region, signInHost), s.accountKey(email))
}

// coolingDown fails with TokensLimited while tokens cannot be had or used, by
// whatever way, or not for this account; email may be "".
func (s *Service) coolingDown(ctx context.Context, region garmin.Region, email string) error {
	keys := []string{hostKey(region, tokenHost), hostKey(region, apiHost)}
	if email != "" {
		keys = append(keys, s.accountKey(email))
	}
	return s.cooling(ctx, TokensLimited, keys...)
}

func (s *Service) cooling(ctx context.Context, k Kind, keys ...string) error {
	left, err := s.limits.Cooling(ctx, keys...)
	if err != nil {
		return err
	}
	if left > 0 {
		return &Error{Kind: k, RetryAfter: left}
	}
	return nil
}

// refused translates Garmin's refusal and starts the cool-down that it asks
// for: of our address at the host that said so, or of the account.
func (s *Service) refused(ctx context.Context, region garmin.Region, email string, cause error) *Error {
	e := translate(cause)
	if e.Kind != RateLimited {
		return e
	}
	e.RetryAfter = defaultCoolDown
	said, _ := errors.AsType[*garmin.Error](cause)
	if said.RetryAfter > 0 {
		e.RetryAfter = said.RetryAfter
	}
	key := hostKey(region, said.Host)
	if said.Host == tokenHost || said.Host == apiHost {
		e.Kind = TokensLimited
	}
	if said.Kind == garmin.KindClientLimited {
		if email == "" {
			return e // nobody to hold back
		}
		key = s.accountKey(email)
	}
	if err := s.limits.Cool(ctx, key, e.RetryAfter); err != nil {
		s.log.ErrorContext(ctx, "cool-down not kept", "error", err)
	}
	return e
}

// told passes our own faults on, and translates Garmin's refusals.
func (s *Service) told(ctx context.Context, region garmin.Region, email string, err error) error {
	if _, ok := errors.AsType[*garmin.Error](err); !ok {
		return err
	}
	return s.refused(ctx, region, email, err)
}
