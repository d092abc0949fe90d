package garmin_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// newGarmin gives a simulated Garmin for one test and a client of it.
func newGarmin(t *testing.T) (*garmintest.Server, *garmin.Client) {
	t.Helper()
	sim := new(garmintest.Server)
	t.Cleanup(sim.Close)
	return sim, newClient(sim)
}

func newClient(sim *garmintest.Server, flows ...garmin.Flow) *garmin.Client {
	if len(flows) == 0 {
		flows = []garmin.Flow{garmin.IOS}
	}
	return garmin.New(garmin.Options{Transport: sim.Transport(), Now: sim.Now, Flows: flows})
}

// mustTicket signs in to an account without MFA.
func mustTicket(t *testing.T, c *garmin.Client, r garmin.Region, email string) *garmin.Ticket {
	t.Helper()
	ticket, ch, err := c.Login(t.Context(), r, email, garmintest.DemoPassword)
	if err != nil || ticket == nil || ch != nil {
		t.Fatalf("Login(%s) = %v, %v, %v; want a ticket alone", email, ticket, ch, err)
	}
	return ticket
}

// mustChallenge signs in to an account with MFA.
func mustChallenge(t *testing.T, c *garmin.Client, email string) *garmin.Challenge {
	t.Helper()
	ticket, ch, err := c.Login(t.Context(), garmin.RegionGlobal, email, garmintest.DemoPassword)
	if err != nil || ticket != nil || ch == nil {
		t.Fatalf("Login(%s) = %v, %v, %v; want a challenge alone", email, ticket, ch, err)
	}
	return ch
}

func mustSession(t *testing.T, c *garmin.Client) *garmin.Session {
	t.Helper()
	s, err := c.Exchange(t.Context(), mustTicket(t, c, garmin.RegionGlobal, "plain@garmin.example"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// want checks the kind of an error, and whether it may have taken effect.
func want(t *testing.T, err error, kind garmin.Kind, sent bool) *garmin.Error {
	t.Helper()
	e, ok := errors.AsType[*garmin.Error](err)
	if !ok {
		t.Fatalf("error %v; want one of kind %s", err, kind)
	}
	if e.Kind != kind || e.Sent() != sent {
		t.Errorf("error %v has kind %s, sent %t; want %s, %t", e, e.Kind, e.Sent(), kind, sent)
	}
	return e
}

// outcome is what a fault must look like from the client's side.
type outcome struct {
	name       string
	fault      garmintest.Fault
	kind       garmin.Kind
	sent       bool
	typ        string
	retryAfter time.Duration
}

// everyCall are the outcomes that every operation has in common.
func everyCall() []outcome {
	page := func(status int, body string) garmintest.Fault {
		return garmintest.Respond(status, "text/html", body)
	}
	return []outcome{
		{"429 page", garmintest.AddressLimited(90 * time.Second), garmin.KindRateLimited, false, "", 90 * time.Second},
		{"429 page without Retry-After", garmintest.AddressLimited(0), garmin.KindRateLimited, false, "", 0},
		{"429 page with an absurd Retry-After", garmintest.AddressLimited(1e6 * time.Second), garmin.KindRateLimited, false, "", 24 * time.Hour},
		{"403 with code 1015", page(403, "error code: 1015"), garmin.KindRateLimited, false, "", 0},
		{"429 JSON", garmintest.ClientLimited(429, time.Minute), garmin.KindClientLimited, false, "429", time.Minute},
		{"429 JSON under 200", garmintest.ClientLimited(200, 0), garmin.KindClientLimited, false, "429", 0},
		{"429 JSON with a number", garmintest.Respond(200, "application/json", `{"error":{"status-code":429}}`), garmin.KindClientLimited, false, "429", 0},
		{"427 JSON", garmintest.FlowRefused, garmin.KindFlowRefused, false, "427", 0},
		{"503 JSON under 200", garmintest.Respond(200, "application/json", `{"error":{"status-code":"503"}}`), garmin.KindUnavailable, true, "503", 0},
		{"403 challenge page", garmintest.EdgeBlocked, garmin.KindBlocked, false, "", 0},
		{"403 page with code 1020", page(403, "error code: 1020"), garmin.KindBlocked, false, "", 0},
		{"503 challenge page", page(503, "<title>Just a moment...</title>"), garmin.KindBlocked, false, "", 0},
		{"502 page", garmintest.ServerError, garmin.KindUnavailable, true, "", 0},
		{"500 JSON", garmintest.Respond(500, "application/json", `{"message":"oops"}`), garmin.KindUnavailable, true, "", 0},
		{"page under 200", garmintest.NonJSON, garmin.KindUnavailable, true, "", 0},
		{"JSON that is no object", garmintest.Respond(200, "application/json", `["x"]`), garmin.KindUnavailable, true, "", 0},
		{"empty 200", garmintest.Respond(200, "application/json", ""), garmin.KindUnavailable, true, "", 0},
		{"over 1 MiB", garmintest.Huge, garmin.KindUnavailable, true, "", 0},
		{"truncated", garmintest.Truncated, garmin.KindUnavailable, true, "", 0},
		{"reset", garmintest.Reset, garmin.KindUnavailable, true, "", 0},
		{"answer lost", garmintest.AnswerLost, garmin.KindUnavailable, true, "", 0},
		{"redirect to another host", redirect("https://example.com/"), garmin.KindUnavailable, true, "", 0},
		{"redirect to a host of Garmin's", redirect("https://sso.garmin.com/mobile/api/login"), garmin.KindUnavailable, true, "", 0},
		{"empty object", garmintest.Respond(200, "application/json", `{}`), garmin.KindProtocol, true, "", 0},
		{"JSON of other types", garmintest.Respond(200, "application/json", `{"responseStatus":7,"access_token":7,"garminGUID":7}`), garmin.KindProtocol, true, "", 0},
	}
}

func redirect(to string) garmintest.Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		http.Redirect(w, r, to, http.StatusTemporaryRedirect)
	}
}

// checkOutcomes puts each fault on op, makes the call, and checks that it was asked just once.
func checkOutcomes(t *testing.T, op garmintest.Op, outcomes []outcome, call func(t *testing.T, sim *garmintest.Server, c *garmin.Client) func(context.Context) error) {
	t.Helper()
	for _, o := range outcomes {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			sim, c := newGarmin(t)
			ask := call(t, sim, c)
			before := sim.Calls(op)
			sim.Fail(op, o.fault, 1)
			err := ask(t.Context())
			e := want(t, err, o.kind, o.sent)
			if e.Op != string(op) || e.Type != o.typ || e.RetryAfter != o.retryAfter {
				t.Errorf("op %q, type %q, retry after %v; want %q, %q, %v", e.Op, e.Type, e.RetryAfter, op, o.typ, o.retryAfter)
			}
			if n := sim.Calls(op) - before; n != 1 {
				t.Errorf("asked %d times; want once", n)
			}
			checkSilent(t, sim, err)
		})
	}
}
