package link

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptrace"
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
func spareKey(host string) string   { return "garmin/spare/" + host }
func breakerKey(host string) string { return BreakerCoolDowns + host }

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
	if err := o.count(ctx, host); err != nil {
		return nil, err
	}
	answer, err := o.next.RoundTrip(r)
	// A caller who left says nothing of the host; a time-out does.
	if !errors.Is(ctx.Err(), context.Canceled) && (err != nil || answer.StatusCode >= http.StatusInternalServerError) {
		o.fault(context.WithoutCancel(ctx), host)
	}
	return answer, err
}

// count takes a call from the budget of its host; a job's counts twice while
// the host is to be spared.
func (o outbound) count(ctx context.Context, host string) error {
	if isPaced(ctx) && o.spares(ctx, host) {
		if err := o.take(ctx, host); err != nil {
			return err
		}
	}
	return o.take(ctx, host)
}

func (o outbound) spares(ctx context.Context, host string) bool {
	left, err := o.limits.Cooling(ctx, spareKey(host))
	if err != nil && ctx.Err() == nil {
		o.log.WarnContext(ctx, "whether a host is to be spared is not known", "host", host, "error", err)
	}
	return left > 0
}

// take takes one from the budget. A job's waits until there is room; a user's
// is not held back, jobs make room for it.
func (o outbound) take(ctx context.Context, host string) error {
	for {
		wait, err := o.limits.Take(ctx, budgetKey(host), o.budget)
		if err != nil && ctx.Err() == nil {
			o.log.WarnContext(ctx, "a call to Garmin is not counted", "host", host, "error", err)
		}
		if err != nil || wait == 0 || !isPaced(ctx) {
			return ctx.Err()
		}
		// Whoever traces the call learns that it has not left yet.
		if t := httptrace.ContextClientTrace(ctx); t != nil && t.GetConn != nil {
			t.GetConn(host)
		}
		countWait(ctx, wait)
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// spareTime is how long jobs ask a host at half their pace after a worker was
// told there to slow down.
const spareTime = 5 * time.Minute

// slowDown has jobs spare a host. That a report was taken does not hang on it.
func (s *Service) slowDown(ctx context.Context, host string) {
	if err := s.limits.Cool(ctx, spareKey(host), spareTime); err != nil {
		s.log.ErrorContext(ctx, "jobs do not spare a host that limits workers", "host", host, "error", err)
	}
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
// because it is down. Then they come back spread, and not all at once.
func (s *Service) mayAsk(ctx context.Context, region garmin.Region, email string) error {
	err := s.reachable(ctx, region, email)
	if e, ok := errors.AsType[*Error](err); ok && e.Kind == Unavailable {
		e.RetryAfter += recheckTime
	}
	return err
}

// reachable fails while Garmin has asked for a pause, or is down.
func (s *Service) reachable(ctx context.Context, region garmin.Region, email string) error {
	if err := s.coolingDown(ctx, region, email); err != nil {
		return err
	}
	return s.cooling(ctx, Unavailable, breakerKey(hostName(region, tokenHost)), breakerKey(hostName(region, apiHost)))
}

type pacedKey struct{}

// paced marks the calls of a job, which wait for the budget.
func paced(ctx context.Context) context.Context { return context.WithValue(ctx, pacedKey{}, true) }

func isPaced(ctx context.Context) bool {
	is, _ := ctx.Value(pacedKey{}).(bool)
	return is
}
