package link

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
)

// CoolDown is something that may not be done before a time.
type CoolDown struct {
	Key   string
	Until time.Time
	Left  time.Duration
}

// Hold says what a cool-down holds back.
type Hold string

const (
	HoldsHost    Hold = "host"    // it fails: jobs leave it alone
	HoldsAddress Hold = "address" // it has asked this address for a pause: nobody asks it
	HoldsJudging Hold = "judging" // too many sessions were refused at once: nobody is asked to sign in again
	HoldsAccount Hold = "account" // Garmin wants one account left alone
)

// Holds says what the cool-down holds back, and which of Garmin's hosts it is
// about. Hold is "" for what this release does not know.
func (c CoolDown) Holds() (h Hold, host string) {
	if host, ok := strings.CutPrefix(c.Key, BreakerCoolDowns); ok {
		return HoldsHost, host
	}
	if place, ok := strings.CutPrefix(c.Key, AddressCoolDowns); ok {
		region, host, _ := strings.Cut(place, "/")
		return HoldsAddress, host + "." + region
	}
	switch {
	case c.Key == JudgingCoolDown:
		return HoldsJudging, ""
	case strings.HasPrefix(c.Key, AccountCoolDowns):
		return HoldsAccount, ""
	default:
		return "", ""
	}
}

// HeldBackFor lists what Garmin, or its failing, holds back of one link, a login
// to come included.
func (s *Service) HeldBackFor(ctx context.Context, l Link) ([]CoolDown, error) {
	region := garmin.Region(cmp.Or(l.Region, string(garmin.RegionGlobal)))
	keys := []string{JudgingCoolDown}
	for _, host := range []string{signInHost, tokenHost, apiHost} {
		keys = append(keys, hostKey(region, host), breakerKey(hostName(region, host)))
	}
	if l.GarminEmail != "" {
		keys = append(keys, s.accountKey(l.GarminEmail))
	}
	return s.store.CoolDownsOf(ctx, keys)
}

// HeldBack lists what Garmin, or its failing, holds back now.
func (s *Service) HeldBack(ctx context.Context) ([]CoolDown, error) {
	return s.store.CoolDowns(ctx, CoolDowns)
}
