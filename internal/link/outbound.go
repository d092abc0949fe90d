package link

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/limit"
)

// DefaultBudget is how often all replicas together ask one of Garmin's hosts.
// Garmin publishes no limit; a person's app makes some calls a second.
var DefaultBudget = limit.Rate{Burst: 20, Per: time.Second}

// A host that fails so often is left alone for breakTime, by jobs: what a user
// asks for is tried all the same, and shows when the host is back.
var (
	faultRate = limit.Rate{Burst: 20, Per: time.Minute}
	breakTime = time.Minute
)

func budgetKey(host string) string  { return "garmin/budget/" + host }
func faultKey(host string) string   { return "garmin/faults/" + host }
func breakerKey(host string) string { return "garmin/breaker/" + host }

func hostName(region garmin.Region, host string) string { return host + "." + string(region) }

// outbound is the way to Garmin, for all calls: it counts them, and those that
// the host fails.
type outbound struct {
	next   http.RoundTripper
	limits limit.Limiter
	budget limit.Rate
	log    *slog.Logger
}

// RoundTrip implements http.RoundTripper.
func (o outbound) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, host := r.Context(), strings.ToLower(r.URL.Hostname())
	if !isPaced(ctx) {
		// A user's call is not held back; jobs make room for it.
		if _, err := o.limits.Take(ctx, budgetKey(host), o.budget); err != nil && ctx.Err() == nil {
			o.log.WarnContext(ctx, "a call to Garmin is not counted", "host", host, "error", err)
		}
	}
	answer, err := o.next.RoundTrip(r)
	if ctx.Err() == nil && (err != nil || answer.StatusCode >= http.StatusInternalServerError) {
		o.fault(ctx, host)
	}
	return answer, err
}

func (o outbound) fault(ctx context.Context, host string) {
	wait, err := o.limits.Take(ctx, faultKey(host), faultRate)
	if err == nil && wait > 0 {
		err = o.limits.Cool(ctx, breakerKey(host), breakTime)
		o.log.WarnContext(ctx, "a host of Garmin's fails: jobs leave it alone", "host", host, "for", breakTime)
	}
	if err != nil {
		o.log.WarnContext(ctx, "a fault of Garmin's is not counted", "host", host, "error", err)
	}
}

// mayAsk fails while jobs must leave Garmin alone: because it said so, or
// because it is down.
func (s *Service) mayAsk(ctx context.Context, region garmin.Region, email string) error {
	if err := s.coolingDown(ctx, region, email); err != nil {
		return err
	}
	left, err := s.limits.Cooling(ctx, breakerKey(hostName(region, tokenHost)), breakerKey(hostName(region, apiHost)))
	if err != nil {
		return err
	}
	if left > 0 {
		return &Error{Kind: Unavailable, RetryAfter: left + recheckTime}
	}
	return nil
}

type pacedKey struct{}

// paced marks the calls of a job: they wait for the budget before each step.
func paced(ctx context.Context) context.Context { return context.WithValue(ctx, pacedKey{}, true) }

func isPaced(ctx context.Context) bool {
	is, _ := ctx.Value(pacedKey{}).(bool)
	return is
}

// pace waits until the budget has room for a call to a host.
func (s *Service) pace(ctx context.Context, region garmin.Region, host string) error {
	for {
		wait, err := s.limits.Take(ctx, budgetKey(hostName(region, host)), s.budget)
		if err != nil || wait == 0 {
			return err
		}
		if pause(ctx, wait) != nil {
			return &Error{Kind: Unavailable, Err: ctx.Err()}
		}
	}
}
