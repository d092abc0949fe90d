package notify_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/notify"
)

func TestFailedDeliveryHoldsBackItsLinkAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, other := w.newUser(), w.newUser()
	picky, easy := newReceiver(t), newReceiver(t)
	w.tells(picky)
	w.tells(easy)
	picky.answers(func(rw http.ResponseWriter, _ *http.Request) {
		got := picky.received()
		if got[len(got)-1].user() == one.String() {
			rw.WriteHeader(http.StatusInternalServerError)
			return
		}
		rw.WriteHeader(http.StatusOK)
	})
	a, b := w.happens(one, link.LinkActive), w.happens(one, link.LinkReauthNeeded)
	c, d := w.happens(other, link.LinkActive), w.happens(other, link.LinkReauthNeeded)
	w.pass()
	picky.wantEvents(a, c, d)
	easy.wantEvents(a, b, c, d)
	picky.answers(nil)
	w.pass()
	picky.wantEvents(a, c, d) // not yet
	w.db.Advance(t, notify.Waits[0]*2)
	w.pass()
	picky.wantEvents(a, c, d, a, b)
	first, again := picky.received()[0], picky.received()[3]
	if first.id != again.id || first.body != again.body {
		t.Error("another attempt has another id or body")
	}
}

func TestGivenUpFreesTheNext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newReceiver(t)
	r.answers(status(http.StatusInternalServerError))
	id := w.tells(r)
	user := w.newUser()
	first, second := w.happens(user, link.LinkReauthNeeded), w.happens(user, link.LinkRepaired)
	w.pass()
	began := one[time.Time](w, "SELECT app_now()")
	for _, wait := range notify.Waits {
		w.db.Advance(t, wait*8/10)
		w.pass() // too early
		w.db.Advance(t, wait*4/10)
		w.pass()
	}
	passed := one[time.Time](w, "SELECT app_now()").Sub(began)
	if passed < 20*time.Hour || passed > 30*time.Hour {
		t.Errorf("it was tried for %s", passed)
	}
	attempts := len(notify.Waits) + 1
	l := w.log(id)
	if l[0].State != notify.GivenUp || len(l[0].Attempts) != attempts || l[1].State != notify.Waiting {
		t.Fatalf("the first is %s after %d attempts, the next %s", l[0].State, len(l[0].Attempts), l[1].State)
	}
	if len(l[1].Attempts) != 1 {
		t.Errorf("the next was tried %d times", len(l[1].Attempts))
	}
	r.answers(nil)
	w.db.Advance(t, time.Hour)
	w.pass()
	w.pass()
	want := slices.Repeat(ids(first), attempts)
	if got := r.events(); !slices.Equal(got, append(want, ids(second, second)...)) {
		t.Errorf("got events %v", got)
	}
	if l := w.log(id); l[1].State != notify.Delivered {
		t.Errorf("the next is %s", l[1].State)
	}
	if e := w.endpoint(id); !e.FailingSince.IsZero() || e.LastSuccess.IsZero() || e.Waiting != 0 {
		t.Errorf("the endpoint is %+v", e)
	}
}

func TestFlappingReceiverLosesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newReceiver(t)
	attempts := map[string]int{}
	var mu sync.Mutex
	r.answers(func(rw http.ResponseWriter, request *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		id := request.Header.Get("webhook-id")
		attempts[id]++
		switch attempts[id] {
		case 1:
			hangUp(rw, request)
		case 2:
			rw.WriteHeader(http.StatusBadGateway)
		case 3:
			rw.WriteHeader(http.StatusServiceUnavailable)
		default:
			rw.WriteHeader(http.StatusOK)
		}
	})
	id := w.tells(r)
	want := map[string][]string{}
	for range 4 {
		user := w.newUser()
		for range 3 {
			want[user.String()] = append(want[user.String()], ids(w.happens(user, link.LinkActive))...)
		}
	}
	for range 3 * 4 {
		w.pass()
		w.db.Advance(t, time.Hour)
	}
	got := map[string][]string{}
	for _, m := range r.received() {
		if m.taken {
			got[m.user()] = append(got[m.user()], m.event.ID)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, l := range w.log(id) {
		if len(l.Attempts) != 4 {
			t.Errorf("the log has %d attempts of event %d", len(l.Attempts), l.Event)
		}
	}
}

func TestTwoReplicasSendEachOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newReceiver(t)
	id := w.tells(r)
	var want []string
	users := []uuid.UUID{w.newUser(), w.newUser(), w.newUser(), w.newUser(), w.newUser()}
	for range 8 {
		for _, user := range users {
			want = append(want, ids(w.happens(user, link.LinkActive))...)
		}
	}
	w.spread()
	var group sync.WaitGroup
	for _, replica := range []*notify.Service{w.Service, w.replica()} {
		for range 3 {
			group.Go(func() {
				if err := replica.Deliver(context.Background(), id); err != nil {
					t.Error(err)
				}
			})
		}
	}
	group.Wait()
	w.pass() // what nobody had a turn for
	got := r.events()
	slices.SortFunc(got, byNumber)
	if !slices.Equal(got, want) {
		t.Errorf("got events %v, want each once: %v", got, want)
	}
	r.wantOrder()
}

func byNumber(a, b string) int {
	x, _ := strconv.Atoi(a)
	y, _ := strconv.Atoi(b)
	return x - y
}

// wantOrder fails if a link's events came in another order than they happened.
func (r *receiver) wantOrder() {
	r.t.Helper()
	last := map[string]string{}
	for _, m := range r.received() {
		if before, ok := last[m.user()]; ok && byNumber(before, m.event.ID) > 0 {
			r.t.Errorf("of user %s event %s came after %s", m.user(), m.event.ID, before)
		}
		last[m.user()] = m.event.ID
	}
}

func TestSlowEndpointHoldsNobodyElseBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	slow, quick := newReceiver(t), newReceiver(t)
	held, release := make(chan struct{}), make(chan struct{})
	slow.answers(func(rw http.ResponseWriter, _ *http.Request) {
		close(held)
		<-release
		rw.WriteHeader(http.StatusOK)
	})
	slowID, quickID := w.tells(slow), w.tells(quick)
	event := w.happens(w.newUser(), link.LinkActive)
	w.spread()
	var group sync.WaitGroup
	group.Go(func() {
		if err := w.Deliver(context.Background(), slowID); err != nil {
			t.Error(err)
		}
	})
	<-held
	if err := w.Deliver(t.Context(), quickID); err != nil {
		t.Error(err)
	}
	quick.wantEvents(event)
	if due, err := w.Due(t.Context(), 4); err != nil || len(due) != 0 {
		t.Errorf("%v is due, %v", due, err)
	}
	close(release)
	group.Wait()
}

func TestWhatWaitsBehindADeliveryIsDueWithIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newReceiver(t)
	r.answers(status(http.StatusInternalServerError))
	id := w.tells(r)
	user := w.newUser()
	first, second := w.happens(user, link.LinkActive), w.happens(user, link.LinkRemoved)
	w.pass()
	if n := one[int](w, "SELECT count(*) FROM webhook_deliveries WHERE next_attempt_at <= app_now()"); n != 0 {
		t.Errorf("%d look due, and are not", n)
	}
	r.answers(nil)
	if _, err := w.Resend(t.Context(), w.log(id)[0].ID); err != nil {
		t.Fatal(err)
	}
	w.pass() // at once
	r.wantEvents(first, first, second)
}
