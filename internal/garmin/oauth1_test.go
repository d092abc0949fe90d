package garmin_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// newLegacy gives a Garmin whose token service knows none of our client ids, and a client that falls back to OAuth1.
func newLegacy(t *testing.T, flow garmin.Flow) (*garmintest.Server, *garmin.Client) {
	t.Helper()
	sim := &garmintest.Server{DIClientIDs: []string{"NONE"}}
	t.Cleanup(sim.Close)
	return sim, newLegacyClient(sim, flow)
}

func newLegacyClient(sim *garmintest.Server, flow garmin.Flow) *garmin.Client {
	fetch := newClient(sim)
	return garmin.New(garmin.Options{
		Transport: sim.Transport(), Now: sim.Now, Consumer: fetch.FetchConsumer,
		Flows: []garmin.Flow{flow.WithPause(garmin.Pause{})},
	})
}

// legacySession signs in and exchanges the ticket by OAuth1.
func legacySession(t *testing.T, c *garmin.Client, r garmin.Region, email string) *garmin.Session {
	t.Helper()
	ticket, ch, err := c.Login(t.Context(), r, email, garmintest.DemoPassword)
	if err == nil && ch != nil {
		ticket, err = c.SubmitCode(t.Context(), ch, garmintest.DemoCode)
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Exchange(t.Context(), ticket)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOAuth1TakesTicketsThatDIDoesNot(t *testing.T) {
	t.Parallel()
	for _, flow := range []garmin.Flow{garmin.Android, garmin.Widget} {
		sim, c := newLegacy(t, flow)
		for email, region := range map[string]garmin.Region{
			"plain@garmin.example": garmin.RegionGlobal, "mfa@garmin.example": garmin.RegionGlobal, "china@garmin.example": garmin.RegionChina,
		} {
			s := legacySession(t, c, region, email)
			if s.Renewal() != garmin.RenewOAuth1 || s.Region() != region {
				t.Errorf("%s, %s: renewed by %s, in %s", flow, email, s.Renewal(), s.Region())
			}
			sim.Advance(25 * time.Hour)
			for range 2 { // the exchange repeats
				fresh, err := c.Refresh(t.Context(), s)
				if err != nil {
					t.Fatal(err)
				}
				near(t, "access end", fresh.ExpiresAt(), sim.Now().Add(24*time.Hour))
				if _, err := c.Profile(t.Context(), mustParse(t, fresh.Dumps())); err != nil {
					t.Errorf("%s, %s: %v", flow, email, err)
				}
			}
		}
	}
}

func TestLegacySessionHasGarthsForm(t *testing.T) {
	t.Parallel()
	sim, c := newLegacy(t, garmin.Android)
	b, err := base64.StdEncoding.DecodeString(legacySession(t, c, garmin.RegionGlobal, "mfa@garmin.example").Dumps())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := memberNames(t, b), memberNames(t, decodeVector(t, "garth-mfa.txt")); got != want {
		t.Errorf("members\n%s; want\n%s", got, want)
	}
	year := sim.Now().Add(365 * 24 * time.Hour).UTC().Format("2006-01-02T15:04")
	if !strings.Contains(string(b), `"mfa_expiration_timestamp": "`+year) || strings.Contains(string(b), `"mfa_token": null`) {
		t.Errorf("no MFA token until %s in %s", year, b)
	}
}

func TestOAuth1IsTheLastWay(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		flow garmin.Flow
		plan func(*garmintest.Server)
		asks int
	}{
		"every client id is refused": {garmin.Android, nil, 1},
		"the ticket was judged": {garmin.Android, func(s *garmintest.Server) {
			s.Fail(garmintest.OpExchange, garmintest.Respond(400, "application/json", `{"error":"invalid_grant"}`), 1)
		}, 0},
		"no reason is given": {garmin.Android, func(s *garmintest.Server) {
			s.Fail(garmintest.OpExchange, garmintest.Respond(400, "application/json", `{}`), 1)
		}, 0},
		"no answer": {garmin.Android, func(s *garmintest.Server) {
			s.Fail(garmintest.OpExchange, garmintest.AnswerLost, 1)
		}, 0},
		"a ticket of the iOS app": {garmin.IOS, nil, 0},
		"a ticket of the portal":  {garmin.Portal, nil, 0},
	}
	for name, tt := range tests {
		sim, c := newLegacy(t, tt.flow)
		ticket := mustTicket(t, c, garmin.RegionGlobal, "plain@garmin.example")
		if tt.plan != nil {
			tt.plan(sim)
		}
		_, err := c.Exchange(t.Context(), ticket)
		if n := sim.Calls(garmintest.OpPreauthorize); n != tt.asks || (err == nil) != (tt.asks == 1) {
			t.Errorf("%s: asked %d times, %v", name, n, err)
		}
	}
}

func TestOAuth1AnswersAtLogin(t *testing.T) {
	t.Parallel()
	only := []outcome{
		{name: "401", fault: garmintest.Unauthorized, kind: garmin.KindTicketRefused},
		{name: "403 without a page", fault: garmintest.Respond(403, "application/json", `{"message":"no"}`), kind: garmin.KindTicketRefused},
		{name: "our clock", fault: garmintest.Respond(401, "text/plain", "oauth_problem=timestamp_refused"), kind: garmin.KindProtocol, typ: "timestamp_refused"},
	}
	for _, op := range []garmintest.Op{garmintest.OpPreauthorize, garmintest.OpOAuth1} {
		t.Run(string(op), func(t *testing.T) {
			t.Parallel()
			checkOutcomes(t, op, append(everyCall(), only...), func(t *testing.T, sim *garmintest.Server, _ *garmin.Client) func(context.Context) error {
				refuseClients(sim)
				c := newLegacyClient(sim, garmin.Android)
				ticket := mustTicket(t, c, garmin.RegionGlobal, "plain@garmin.example")
				return func(ctx context.Context) error {
					_, err := c.Exchange(ctx, ticket)
					return err
				}
			})
		})
	}
}

// refuseClients makes the token service refuse every client id, as such.
func refuseClients(sim *garmintest.Server) {
	sim.Fail(garmintest.OpExchange, garmintest.Respond(401, "application/json", `{"error":"invalid_client"}`), 0)
}

func TestOAuth1AnswersToARefresh(t *testing.T) {
	t.Parallel()
	problem := func(word string, kind garmin.Kind) outcome {
		return outcome{name: word, kind: kind, typ: word, fault: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.Header().Set("WWW-Authenticate", `OAuth realm="x", oauth_problem="`+word+`"`)
			w.WriteHeader(http.StatusUnauthorized)
		}}
	}
	only := []outcome{
		{name: "401", fault: garmintest.Unauthorized, kind: garmin.KindGrantDead},
		{name: "403 without a page", fault: garmintest.Respond(403, "", ""), kind: garmin.KindGrantDead},
		problem("token_rejected", garmin.KindGrantDead), problem("token_revoked", garmin.KindGrantDead),
		problem("consumer_key_rejected", garmin.KindProtocol), problem("timestamp_refused", garmin.KindProtocol),
		problem("nonce_used", garmin.KindProtocol), problem("signature_invalid", garmin.KindProtocol),
	}
	for _, o := range append(everyCall(), only...) {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			sim, _ := newGarmin(t)
			refuseClients(sim)
			c := newLegacyClient(sim, garmin.Android)
			s := legacySession(t, c, garmin.RegionGlobal, "plain@garmin.example")
			sim.Fail(garmintest.OpOAuth1, o.fault, 1)
			_, err := c.Refresh(t.Context(), s)
			if e := want(t, err, o.kind, o.sent); e.Op != "refresh" || e.Type != o.typ || e.RetryAfter != o.retryAfter {
				t.Errorf("op %q, type %q, retry after %v", e.Op, e.Type, e.RetryAfter)
			}
			checkSilent(t, sim, err)
		})
	}
}

func TestRevokedOAuth1TokenIsDead(t *testing.T) {
	t.Parallel()
	sim, c := newLegacy(t, garmin.Widget)
	s := legacySession(t, c, garmin.RegionGlobal, "plain@garmin.example")
	sim.KillGrants("plain@garmin.example")
	_, err := c.Refresh(t.Context(), s)
	want(t, err, garmin.KindGrantDead, false)
}

func TestWrongConsumerOrClockDoesNotKillASession(t *testing.T) {
	t.Parallel()
	sim, c := newLegacy(t, garmin.Widget)
	s := legacySession(t, c, garmin.RegionGlobal, "plain@garmin.example")
	for name, o := range map[string]garmin.Options{
		"another key":    {Consumer: consumer("another", "simulated-consumer-secret")},
		"another secret": {Consumer: consumer("11111111-2222-3333-4444-555555555555", "another")},
		"another time":   {Consumer: newClient(sim).FetchConsumer, Now: func() time.Time { return sim.Now().Add(time.Hour) }},
		"no key":         {Consumer: consumer("", "")},
		"no consumer":    {},
	} {
		o.Transport = sim.Transport()
		_, err := garmin.New(o).Refresh(t.Context(), s)
		if garmin.KindOf(err) != garmin.KindProtocol {
			t.Errorf("%s: %v", name, err)
		}
	}
	o := garmin.Options{Transport: sim.Transport(), Consumer: func(context.Context) (garmin.Consumer, error) {
		return garmin.Consumer{}, errors.New("not there")
	}}
	_, err := garmin.New(o).Refresh(t.Context(), s)
	want(t, err, garmin.KindUnavailable, false)
}

func consumer(key string, secret garmin.Secret) func(context.Context) (garmin.Consumer, error) {
	return func(context.Context) (garmin.Consumer, error) { return garmin.Consumer{Key: key, Secret: secret}, nil }
}

func TestConsumerAnswers(t *testing.T) {
	t.Parallel()
	sim, c := newGarmin(t)
	got, err := c.FetchConsumer(t.Context())
	if err != nil || got.Key == "" || got.Secret.Reveal() == "" {
		t.Fatalf("%v, %v", got, err)
	}
	sim.Fail(garmintest.OpConsumer, redirect("https://thegarth.s3.amazonaws.com/other.json"), 1)
	_, err = c.FetchConsumer(t.Context())
	want(t, err, garmin.KindUnavailable, true)
	checkOutcomes(t, garmintest.OpConsumer, everyCall(), func(_ *testing.T, _ *garmintest.Server, c *garmin.Client) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := c.FetchConsumer(ctx)
			return err
		}
	})
}

func TestNothingElseReachesTheConsumersHost(t *testing.T) {
	t.Parallel()
	sim, _ := newGarmin(t)
	sim.Fail(garmintest.OpPage, redirect("https://thegarth.s3.amazonaws.com/oauth_consumer.json"), 0)
	_, _, err := newClient(sim, garmin.Android).Login(t.Context(), garmin.RegionGlobal, "plain@garmin.example", garmintest.DemoPassword)
	want(t, err, garmin.KindProtocol, false)
	if n := sim.Calls(garmintest.OpConsumer); n != 0 {
		t.Errorf("asked %d times", n)
	}
}
