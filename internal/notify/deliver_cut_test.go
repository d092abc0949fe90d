package notify_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/notify"
	"github.com/garminlink/garminlink/internal/seal"
)

// A process that is killed while it sends leaves its claim behind.
func TestMessageOfAKilledProcessIsSentAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newReceiver(t)
	id := w.tells(r)
	user := w.newUser()
	event := w.happens(user, link.LinkActive)
	w.spread()
	killed, err := w.store.Claim(t.Context(), id, notify.Lease)
	if err != nil {
		t.Fatal(err)
	}
	w.pass()
	r.wantEvents()
	if _, err := w.Resend(t.Context(), killed.ID); !errors.Is(err, notify.ErrBusy) {
		t.Errorf("sent by hand meanwhile: %v", err)
	}
	w.db.Advance(t, notify.Lease+time.Second)
	w.pass()
	r.wantEvents(event)
	l := w.the(id)
	if len(l.Attempts) != 2 || l.Attempts[0].Ended || !l.Attempts[1].Ended || l.State != notify.Delivered {
		t.Errorf("the log has %+v", l)
	}
	// It was not dead, but only slow.
	next := w.happens(user, link.LinkRemoved)
	w.spread()
	late := notify.Verdict{State: notify.Waiting, Wait: time.Hour}
	if err := w.store.Settle(t.Context(), killed, notify.Answer{Status: 500, Error: "answered 500"}, late); err != nil {
		t.Fatal(err)
	}
	if l := w.log(id)[0]; l.State != notify.Delivered || l.Attempts[0].Status != 500 {
		t.Errorf("the log has %+v", l)
	}
	w.pass()
	r.wantEvents(event, next)
}

// What the database takes long to give may be another's by then.
func TestClaimThatComesLateIsNotUsed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newReceiver(t)
	id := w.tells(r)
	user := w.newUser()
	first, second := w.happens(user, link.LinkActive), w.happens(user, link.LinkRemoved)
	w.spread()
	busy, err := w.db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := busy.Exec(t.Context(), "LOCK TABLE webhook_attempts IN EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	if err := w.Deliver(t.Context(), id); err == nil {
		t.Error("it was claimed")
	}
	w.db.Advance(t, notify.Lease+time.Second)
	if err := busy.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.pass()
	r.wantEvents(first, second)
}

func TestAttemptThatIsCutShortIsNoFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newReceiver(t)
	ctx, cancel := context.WithCancel(t.Context())
	r.answers(func(_ http.ResponseWriter, request *http.Request) {
		cancel()
		<-request.Context().Done()
	})
	id := w.tells(r)
	w.happens(w.newUser(), link.LinkActive)
	w.spread()
	if err := w.Deliver(ctx, id); err != nil {
		t.Fatal(err)
	}
	if e := w.endpoint(id); !e.FailingSince.IsZero() {
		t.Errorf("the endpoint is %+v", e)
	}
	r.answers(nil)
	w.pass()
	if l := w.the(id); l.State != notify.Delivered || len(l.Attempts) != 2 || l.Attempts[0].Error != "cut short, as this program ended" {
		t.Errorf("the log has %+v", l)
	}
}

// A missing key is a fault of the deployment, and puts nothing off for hours.
func TestSecretThatDoesNotOpenIsNoFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newReceiver(t)
	id := w.tells(r)
	event := w.happens(w.newUser(), link.LinkActive)
	w.spread()
	w.exec("UPDATE webhook_endpoints SET key_id = key_id + 1")
	for range 2 * len(notify.Waits) {
		if err := w.Deliver(t.Context(), id); !errors.Is(err, seal.ErrKeyMissing) {
			t.Fatalf("Deliver = %v", err)
		}
		if due, err := w.Due(t.Context(), 1); err != nil || len(due) != 0 {
			t.Fatalf("%v are due at once, %v", due, err)
		}
		w.db.Advance(t, time.Minute)
	}
	w.exec("UPDATE webhook_endpoints SET key_id = key_id - 1")
	r.wantEvents()
	w.pass()
	r.wantEvents(event)
}
