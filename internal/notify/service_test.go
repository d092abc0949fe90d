package notify_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/notify"
)

// taken counts what a receiver has that a secret verifies.
func (r *receiver) verified(secret string) (n int) {
	for _, m := range r.received() {
		if verifies(secret, m.header, []byte(m.body)) {
			n++
		}
	}
	return n
}

func TestBothSecretsSignForADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newReceiver(t)
	id := w.tells(r)
	old := r.secrets[0]
	user := w.newUser()
	w.happens(user, link.LinkActive)
	w.pass()

	fresh, err := w.Rotate(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	r.secrets = append(r.secrets, fresh.Reveal())
	r.mu.Unlock()
	if fresh.Reveal() == old || w.endpoint(id).FormerUntil.IsZero() {
		t.Error("nothing was rotated")
	}
	w.happens(user, link.LinkReauthNeeded)
	w.pass()
	w.db.Advance(t, 24*time.Hour-time.Minute)
	w.happens(user, link.LinkRepaired)
	w.pass()
	w.db.Advance(t, 2*time.Minute)
	w.happens(user, link.LinkRemoved)
	w.pass()
	if with := []int{r.verified(old), r.verified(fresh.Reveal())}; !slices.Equal(with, []int{3, 3}) || len(r.received()) != 4 {
		t.Errorf("of %d messages the secrets verify %v", len(r.received()), with)
	}
	if err := w.Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	if one[int](w, "SELECT count(*) FROM webhook_endpoints WHERE former_secret IS NOT NULL") != 0 || !w.endpoint(id).FormerUntil.IsZero() {
		t.Error("the former secret is still there")
	}
}

func TestSecretsHaveTheFormOfTheStandard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e, secret, err := w.Add(t.Context(), "https://example.com/hook", nil)
	if err != nil {
		t.Fatal(err)
	}
	other, err := w.Rotate(t.Context(), e.ID)
	if err != nil || other == secret {
		t.Errorf("rotated, %v", err)
	}
	if text := secret.Reveal(); !strings.HasPrefix(text, "whsec_") || len(text) != len("whsec_")+44 {
		t.Errorf("it has %d characters", len(text))
	}
	kept := one[string](w, "SELECT webhook_endpoints::text FROM webhook_endpoints")
	if strings.Contains(kept, secret.Reveal()[6:]) || strings.Contains(secret.Reveal(), "%") {
		t.Error("it is stored in the clear")
	}
}

func TestSecretOfAnotherEndpointDoesNotOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newReceiver(t)
	id := w.tells(r)
	w.tells(newReceiver(t))
	w.exec("UPDATE webhook_endpoints e SET secret = o.secret FROM webhook_endpoints o WHERE o.id <> e.id AND e.id = $1", id)
	w.happens(w.newUser(), link.LinkActive)
	w.spread()
	if err := w.Deliver(t.Context(), id); err == nil {
		t.Error("it does")
	}
	r.wantEvents()
}

func TestResend(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newReceiver(t)
	id := w.tells(r)
	user := w.newUser()
	first := w.happens(user, link.LinkActive)
	w.pass()
	delivered := w.the(id)
	if a, err := w.Resend(t.Context(), delivered.ID); err != nil || a.Status != http.StatusNoContent {
		t.Errorf("one that was delivered: %+v, %v", a, err)
	}
	got := r.received()
	if len(got) != 2 || got[0].id != got[1].id || got[0].body != got[1].body {
		t.Errorf("got %+v", got)
	}
	r.answers(status(http.StatusInternalServerError))
	if a, err := w.Resend(t.Context(), delivered.ID); err != nil || a.Error != "answered 500" {
		t.Errorf("it is not taken now: %+v, %v", a, err)
	}
	if l := w.the(id); l.State != notify.Delivered || len(l.Attempts) != 3 {
		t.Errorf("the log has %+v", l)
	}

	second, third := w.happens(user, link.LinkReauthNeeded), w.happens(user, link.LinkRepaired)
	w.pass()
	log := w.log(id)
	if _, err := w.Resend(t.Context(), log[2].ID); !errors.Is(err, notify.ErrBusy) {
		t.Errorf("one that is not the first: %v", err)
	}
	w.exec("UPDATE webhook_deliveries SET state = 'given_up', ended_at = app_now() WHERE id = $1", log[1].ID)
	w.db.Advance(t, time.Hour)
	w.pass()
	r.answers(nil)
	if a, err := w.Resend(t.Context(), log[1].ID); err != nil || a.Error != "" {
		t.Errorf("one that was given up: %+v, %v", a, err)
	}
	if _, err := w.Resend(t.Context(), log[2].ID); err != nil {
		t.Errorf("one that waits for a later attempt: %v", err)
	}
	for _, l := range w.log(id) {
		if l.State != notify.Delivered {
			t.Errorf("event %d is %s", l.Event, l.State)
		}
	}
	r.wantEvents(first, first, first, second, third, second, third)

	if _, err := w.Resend(t.Context(), uuid.New()); !errors.Is(err, notify.ErrNotFound) {
		t.Errorf("one that there is not: %v", err)
	}
	if err := w.store.Disable(t.Context(), id, notify.ByOperator); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Resend(t.Context(), delivered.ID); !errors.Is(err, notify.ErrDisabled) {
		t.Errorf("to one that is disabled: %v", err)
	}
}

func TestTestMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newReceiver(t)
	id := w.tells(r, link.LinkRemoved)
	a, err := w.Test(t.Context(), id)
	if err != nil || a.Status != http.StatusNoContent {
		t.Errorf("%+v, %v", a, err)
	}
	if got := r.received(); len(got) != 1 || got[0].event.Type != "test.ping" || got[0].event.ID != got[0].id.String() || got[0].event.Data == nil {
		t.Errorf("got %+v", got)
	}
	r.answers(status(http.StatusInternalServerError))
	if a, err := w.Test(t.Context(), id); err != nil || a.Status != http.StatusInternalServerError {
		t.Errorf("%+v, %v", a, err)
	}
	w.db.Advance(t, time.Hour)
	w.pass() // it is not sent again by itself
	l := w.log(id)
	if len(r.received()) != 2 || len(l) != 2 || l[0].State != notify.Delivered || l[1].State != notify.GivenUp {
		t.Errorf("the log has %+v", l)
	}
	if _, err := w.Test(t.Context(), uuid.New()); !errors.Is(err, notify.ErrNotFound) {
		t.Errorf("of none: %v", err)
	}
	if err := w.store.Disable(t.Context(), id, notify.ByOperator); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Test(t.Context(), id); !errors.Is(err, notify.ErrDisabled) {
		t.Errorf("of one that is disabled: %v", err)
	}
}

func TestDisabledEndpointKeepsWhatWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newReceiver(t)
	id := w.tells(r)
	user := w.newUser()
	before := w.happens(user, link.LinkActive)
	w.spread()
	for range 2 {
		if err := w.store.Disable(t.Context(), id, notify.ByOperator); err != nil {
			t.Fatal(err)
		}
	}
	w.happens(user, link.LinkReauthNeeded)
	w.pass()
	r.wantEvents()
	w.happens(user, link.LinkRepaired) // no pass has seen it when the endpoint is enabled
	for range 2 {
		if err := w.store.Enable(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	after := w.happens(user, link.LinkRemoved)
	w.pass()
	r.wantEvents(before, after)
}

func TestUnknownEndpoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, id := t.Context(), uuid.New()
	for what, do := range map[string]func() error{
		"rotate":  func() error { _, err := w.Rotate(ctx, id); return err },
		"disable": func() error { return w.store.Disable(ctx, id, notify.ByOperator) },
		"enable":  func() error { return w.store.Enable(ctx, id) },
		"remove":  func() error { return w.store.RemoveEndpoint(ctx, id) },
	} {
		if err := do(); !errors.Is(err, notify.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestEventsAreNamed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]link.EventType{
		"all":                                  nil,
		"link.active":                          {link.LinkActive},
		"link.removed,link.active,link.active": {link.LinkRemoved, link.LinkActive},
	} {
		if got, err := notify.ParseEvents(strings.Split(text, ",")); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "link.bogus", "all,link.active", "test.ping", "link.active,"} {
		if got, err := notify.ParseEvents(strings.Split(text, ",")); !errors.Is(err, notify.ErrEvents) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	if _, err := notify.ParseEvents(nil); !errors.Is(err, notify.ErrEvents) {
		t.Errorf("none: %v", err)
	}
}

func TestLogIsKeptForAMonth(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.tells(newReceiver(t))
	w.happens(w.newUser(), link.LinkActive)
	w.pass()
	w.db.Advance(t, 29*24*time.Hour)
	w.happens(w.newUser(), link.LinkActive)
	w.pass()
	if err := w.Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(w.log(id)); n != 2 {
		t.Errorf("the log has %d", n)
	}
	w.db.Advance(t, 2*24*time.Hour)
	if err := w.Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, attempts := len(w.log(id)), one[int](w, "SELECT count(*) FROM webhook_attempts"); n != 1 || attempts != 1 {
		t.Errorf("the log has %d with %d attempts", n, attempts)
	}
}

func TestLogShowsWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good, bad := newReceiver(t), newReceiver(t)
	bad.answers(status(http.StatusInternalServerError))
	a, b := w.tells(good), w.tells(bad)
	one, other := w.newUser(), w.newUser()
	w.happens(one, link.LinkActive)
	w.happens(other, link.LinkActive)
	w.pass()
	for what, c := range map[string]struct {
		query notify.Query
		want  int
	}{
		"all":                  {notify.Query{}, 4},
		"of an endpoint":       {notify.Query{Endpoint: a}, 2},
		"of a user":            {notify.Query{User: one}, 2},
		"of both":              {notify.Query{Endpoint: b, User: other}, 1},
		"failed":               {notify.Query{Failed: true}, 2},
		"failed of a good one": {notify.Query{Failed: true, Endpoint: a}, 0},
		"of nobody":            {notify.Query{User: uuid.New()}, 0},
	} {
		c.query.Most = 10
		if l, err := w.store.Log(context.Background(), c.query); err != nil || len(l) != c.want {
			t.Errorf("%s: %d, %v", what, len(l), err)
		}
	}
	if l, err := w.store.Log(t.Context(), notify.Query{Most: 1}); err != nil || len(l) != 1 || l[0].User != other {
		t.Errorf("the latest is %+v, %v", l, err)
	}
}
