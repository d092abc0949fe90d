package notify_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/notify"
)

// habits are what receivers do in the property below.
var habits = map[string]http.HandlerFunc{
	"takes":  nil,
	"fails":  status(http.StatusInternalServerError),
	"hangs":  hangUp,
	"limits": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Retry-After", "90"); w.WriteHeader(429) },
}

// history is one run of the property: who is told, and what has happened.
type history struct {
	*world
	replicas  []*notify.Service
	receivers map[uuid.UUID]*receiver // by endpoint
	endpoints []uuid.UUID
	users     []uuid.UUID
	events    []string
	killed    map[uuid.UUID]int // claims of processes that died, by endpoint
}

func newHistory(w *world) *history {
	h := &history{
		world: w, replicas: []*notify.Service{w.Service, w.replica()},
		receivers: map[uuid.UUID]*receiver{}, killed: map[uuid.UUID]int{},
	}
	for range 2 {
		r := newReceiver(w.t)
		id := w.tells(r)
		h.receivers[id], h.endpoints = r, append(h.endpoints, id)
		h.users = append(h.users, w.newUser())
	}
	return h
}

// step does one of the things that can happen at any time.
func (h *history) step(t *rapid.T) {
	endpoint := rapid.SampledFrom(h.endpoints).Draw(t, "endpoint")
	switch rapid.SampledFrom([]string{"event", "event", "habit", "pass", "pass", "advance", "kill", "resend"}).Draw(t, "step") {
	case "event":
		kind := rapid.SampledFrom(link.EventTypes).Draw(t, "type")
		h.events = append(h.events, ids(h.happens(rapid.SampledFrom(h.users).Draw(t, "user"), kind))...)
	case "habit":
		h.receivers[endpoint].answers(habits[rapid.SampledFrom([]string{"takes", "fails", "hangs", "limits"}).Draw(t, "habit")])
	case "pass":
		h.spread()
		h.deliver(rapid.SampledFrom(h.replicas).Draw(t, "replica"))
	case "advance":
		h.db.Advance(h.t, rapid.SampledFrom([]time.Duration{6 * time.Second, 3 * time.Minute, 2 * time.Hour, 10 * time.Hour}).Draw(t, "time"))
	case "kill":
		_, err := h.store.Claim(context.Background(), endpoint, notify.Lease)
		if err == nil {
			h.killed[endpoint]++
		} else if !errors.Is(err, notify.ErrNotFound) {
			t.Fatal(err)
		}
	case "resend":
		if l := h.log(endpoint); len(l) > 0 {
			_, err := h.Resend(context.Background(), rapid.SampledFrom(l).Draw(t, "delivery").ID)
			if err != nil && !errors.Is(err, notify.ErrBusy) {
				t.Fatal(err)
			}
		}
	}
}

// settle lets receivers take everything, and time pass until nothing waits.
func (h *history) settle(t *rapid.T) {
	for _, r := range h.receivers {
		r.answers(nil)
	}
	h.spread()
	for range 50 {
		h.deliver(h.Service)
		waiting, _, err := h.store.Backlog(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if waiting == 0 {
			return
		}
		h.db.Advance(h.t, time.Hour)
	}
	t.Fatal("something waits for ever")
}

// check compares what receivers got with what happened, and with the log.
func (h *history) check(t *rapid.T) {
	for id, r := range h.receivers {
		taken, attempts := map[uuid.UUID]bool{}, 0
		for _, m := range r.received() {
			taken[m.id] = taken[m.id] || m.taken
		}
		var told []string
		for _, l := range h.log(id) {
			told = append(told, ids(l.Event)...)
			attempts += len(l.Attempts)
			if taken[l.ID] != (l.State == notify.Delivered) {
				t.Errorf("event %d is %s, and was taken: %t", l.Event, l.State, taken[l.ID])
			}
			if l.State == notify.GivenUp && len(l.Attempts) <= len(notify.Waits) {
				t.Errorf("event %d was given up after %d attempts", l.Event, len(l.Attempts))
			}
		}
		if len(told) != len(h.events) {
			t.Errorf("of events %v there are deliveries of %v", h.events, told)
		}
		if attempts != len(r.received())+h.killed[id] {
			t.Errorf("the log has %d attempts; %d came, and %d had no process any more", attempts, len(r.received()), h.killed[id])
		}
		h.checkOrder(t, r)
	}
}

// checkOrder looks at when each event of a link came first: what is sent by
// hand comes again, but never before its turn.
func (h *history) checkOrder(t *rapid.T, r *receiver) {
	seen, last := map[uuid.UUID]bool{}, map[string]string{}
	for _, m := range r.received() {
		if seen[m.id] {
			continue
		}
		seen[m.id] = true
		if before, ok := last[m.user()]; ok && byNumber(before, m.event.ID) > 0 {
			t.Errorf("of user %s event %s came first after %s", m.user(), m.event.ID, before)
		}
		last[m.user()] = m.event.ID
	}
}

func TestNothingIsLostAndOrderIsKeptWhateverReceiversDo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rapid.Check(t, func(t *rapid.T) {
		h := newHistory(w)
		for range rapid.IntRange(5, 40).Draw(t, "steps") {
			h.step(t)
		}
		h.settle(t)
		h.check(t)
		for id, r := range h.receivers {
			if err := w.store.RemoveEndpoint(context.Background(), id); err != nil {
				t.Fatal(err)
			}
			r.Close()
		}
	})
}
