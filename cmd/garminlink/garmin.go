package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/limit"
	"github.com/garminlink/garminlink/internal/link"
)

// Garmin says how Garmin's servers are asked; which servers, no setting says.
type Garmin struct {
	Flows     flows     `env:"GARMIN_FLOWS"`
	ClientIDs clientIDs `env:"GARMIN_CLIENT_IDS"`
	Consumer  consumer  `env:"GARMIN_CONSUMER"`

	CallsPerSecond callRate `env:"GARMIN_CALLS_PER_SECOND"` // zero: link.DefaultBudget
}

// budget is how often all replicas together ask one of Garmin's hosts.
func (g Garmin) budget() limit.Rate {
	if g.CallsPerSecond == 0 {
		return link.DefaultBudget
	}
	return limit.Rate{Burst: int(g.CallsPerSecond), Per: time.Second}
}

// callRate is in calls per second.
type callRate int

func (r *callRate) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 || n > 1000 {
		return fmt.Errorf("%q is not a number from 1 to 1000", text)
	}
	*r = callRate(n)
	return nil
}

func (g Garmin) options(way http.RoundTripper, report func(context.Context, garmin.Attempt)) garmin.Options {
	o := garmin.Options{Transport: way, Flows: g.Flows, DIClientIDs: g.ClientIDs, Report: report}
	if g.Consumer != (consumer{}) {
		o.Consumer = func(context.Context) (garmin.Consumer, error) { return garmin.Consumer(g.Consumer), nil }
	}
	return o
}

// flows are ways to sign in, in order, each with its pause if that is not the
// usual one, such as ios,widget:3s-8s.
type flows []garmin.Flow

func (f *flows) UnmarshalText(text []byte) error {
	seen := map[string]bool{}
	for part := range strings.SplitSeq(string(text), ",") {
		name, pause, paused := strings.Cut(strings.TrimSpace(part), ":")
		flow, err := garmin.ParseFlow(name)
		if err != nil {
			return fmt.Errorf("%q is neither ios, android, widget nor portal", name)
		}
		if seen[name] {
			return fmt.Errorf("%s stands there twice", name)
		}
		seen[name] = true
		if paused {
			p, err := parsePause(pause)
			if err != nil {
				return err
			}
			flow = flow.WithPause(p)
		}
		*f = append(*f, flow)
	}
	return nil
}

// longestPause leaves time to sign in within the minute that a login has.
const longestPause = 40 * time.Second

func parsePause(text string) (garmin.Pause, error) {
	from, to, _ := strings.Cut(text, "-")
	low, err1 := time.ParseDuration(from)
	high, err2 := time.ParseDuration(to)
	if err1 != nil || err2 != nil || low < 0 || low > high || high > longestPause {
		return garmin.Pause{}, fmt.Errorf("%q is not a pause such as 3s-8s, of at most %s", text, longestPause)
	}
	return garmin.Pause{Min: low, Max: high}, nil
}

// clientIDs are tried in order, with commas between.
type clientIDs []string

func (c *clientIDs) UnmarshalText(text []byte) error {
	for id := range strings.SplitSeq(string(text), ",") {
		id = strings.TrimSpace(id)
		if id == "" || strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
			return fmt.Errorf("%q is not a client id such as GARMIN_CONNECT_MOBILE_ANDROID_DI", id)
		}
		*c = append(*c, id)
	}
	return nil
}

// consumer is the JSON that is published as oauth_consumer.json.
type consumer garmin.Consumer

func (c *consumer) UnmarshalText(text []byte) error {
	var file struct {
		Key    string `json:"consumer_key"`
		Secret string `json:"consumer_secret"`
	}
	if json.Unmarshal(text, &file) != nil || file.Key == "" || file.Secret == "" {
		return errors.New(`is not JSON of the form {"consumer_key": "...", "consumer_secret": "..."}`)
	}
	*c = consumer{Key: file.Key, Secret: garmin.Secret(file.Secret)}
	return nil
}

// signInPages are Garmin's own, for pages of ours at an origin; stand-ins, by
// region, are the simulation's origins.
func signInPages(ours string, standIns map[string]string) func(region string) (link.SignInPage, error) {
	return func(region string) (link.SignInPage, error) {
		page, err := link.SignInPageOf(region, ours)
		if origin, simulated := standIns[region]; err == nil && simulated {
			page.URL = origin + strings.TrimPrefix(page.URL, page.Origin)
			page.FrameURL = origin + strings.TrimPrefix(page.FrameURL, page.Origin)
			page.Origin = origin
		}
		return page, err
	}
}
