package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// hears has a hook told of all events, and returns the secret that signs.
func (s *stack) hears(h *hook) (secret string) {
	s.t.Helper()
	got := garminlink(s.t, "", append(s.settings, webhookAllow), "webhook", "add", h.URL, "--events", "all")
	if got.code != exitOK {
		s.t.Fatal(got.stderr)
	}
	return fieldAfter(s.t, got.stdout, "Secret")
}

func (h *hook) next(t *testing.T) webhookMessage {
	t.Helper()
	select {
	case m := <-h.got:
		return m
	case <-time.After(patience):
		t.Fatal("nothing came")
		return webhookMessage{}
	}
}

// told is an event as webhooks and NOTIFY have it.
type toldEvent struct {
	ID, Type, User string
	Data           struct {
		User, State string
		Reason      *string
	}
}

func parseTold(t *testing.T, text string) (e toldEvent) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return e
}

// Programs beside the database hear of the same events at once.
func TestEventsReachWebhooksAndListeners(t *testing.T) {
	t.Parallel()
	s, h := serving(t), newHook(t)
	secret := s.hears(h)
	beside, err := pgx.Connect(t.Context(), s.db.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close(context.Background())
	if _, err := beside.Exec(t.Context(), "LISTEN garminlink_events"); err != nil {
		t.Fatal(err)
	}
	worker := s.launch([]string{"worker"}, webhookAllow, "OPS_ADDR=127.0.0.1:0")
	ops := worker.await(t, "serving operators")["addr"].(string)

	v := s.runner("runner")
	v.link("plain").wantRedirect("/link")
	v.post("/link/unlink", "confirm", "yes").wantRedirect("/link")
	for _, want := range []struct{ kind, state string }{{"link.active", "active"}, {"link.removed", "not_linked"}} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		notified, err := beside.WaitForNotification(ctx)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		m := h.next(t)
		sent, heard := parseTold(t, m.body), parseTold(t, notified.Payload)
		if !m.signedWith(secret) {
			t.Errorf("%v is not signed", m.header)
		}
		if sent.Type != want.kind || sent.Data.State != want.state || sent.Data.User != v.id.String() {
			t.Errorf("the webhook got %s", m.body)
		}
		if heard.ID != sent.ID || heard.Type != sent.Type || heard.User != sent.Data.User {
			t.Errorf("the listener got %s, the webhook %s", notified.Payload, m.body)
		}
	}
	s.awaitMetrics(ops, `garminlink_webhook_attempts_total{outcome="delivered"} 2`)
	s.eventually("two deliveries in the log", func() bool {
		log := garminlink(t, "", s.settings, "webhook", "log", "--user", v.id.String())
		return strings.Count(log.stdout, "\n  delivered\n") == 2 && log.says(fmt.Sprintf("of user %s", v.id))
	})
	if strings.Contains(s.dump(), secret) || strings.Contains(worker.log.String(), secret) {
		t.Error("the secret came to light")
	}
}

func TestMessageOfAKilledWorkerComesFromAnother(t *testing.T) {
	t.Parallel()
	s, h := serving(t), newHook(t)
	h.hold = make(chan struct{})
	s.hears(h)
	s.runner("runner").link("plain").wantRedirect("/link")
	killed := s.launch([]string{"worker"}, webhookAllow)
	first := h.next(t)
	killed.kill()
	close(h.hold)
	s.advance(2 * time.Minute)
	s.launch([]string{"worker"}, webhookAllow)
	if again := h.next(t); again.header.Get("webhook-id") != first.header.Get("webhook-id") || again.body != first.body {
		t.Errorf("got %v, and then %v", first, again)
	}
}
