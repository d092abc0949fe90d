package notify_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/notify"
	"github.com/garminlink/garminlink/internal/seal"
)

func ids(events ...int64) (texts []string) {
	for _, e := range events {
		texts = append(texts, strconv.FormatInt(e, 10))
	}
	return texts
}

func (r *receiver) wantEvents(want ...int64) {
	r.t.Helper()
	if got := r.events(); !slices.Equal(got, ids(want...)) {
		r.t.Errorf("got events %v, want %v", got, want)
	}
}

func TestEventReachesThoseWhoWantIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	user := w.newUser()
	w.exec("UPDATE users SET email = NULL, password_hash = NULL, external_id = 'host-7' WHERE id = $1", user)
	before := w.happens(user, link.LinkActive)
	all, some, off := newReceiver(t), newReceiver(t), newReceiver(t)
	w.tells(all)
	w.tells(some, link.LinkActive, link.LinkRemoved)
	if err := w.store.Disable(t.Context(), w.tells(off), notify.ByOperator); err != nil {
		t.Fatal(err)
	}
	reauth, removed := w.happens(user, link.LinkReauthNeeded), w.happens(user, link.LinkRemoved)
	w.exec("INSERT INTO link_events (user_id, event, from_state, to_state, actor, request_id) VALUES ($1, 'exported', 'active', 'active', 'user', 'req')", user)
	w.pass()
	w.pass()
	all.wantEvents(reauth, removed)
	some.wantEvents(removed)
	off.wantEvents()
	if before == 0 {
		t.Error("nothing happened before")
	}

	m := all.received()[0]
	want := fmt.Sprintf(`{"id":"%d","type":"link.reauth_needed","created_at":"%s","data":{"user":"%s","external_id":"host-7","state":"reauth_needed","reason":null,"reconnect_before":null}}`,
		reauth, m.event.CreatedAt, user)
	if m.body != want {
		t.Errorf("the body is\n%s, want\n%s", m.body, want)
	}
	if at, err := time.Parse(time.RFC3339, m.event.CreatedAt); err != nil || time.Since(at) > time.Minute || !strings.HasSuffix(m.event.CreatedAt, "Z") {
		t.Errorf("created at %s", m.event.CreatedAt)
	}
	stamp, err := strconv.ParseInt(m.header.Get("webhook-timestamp"), 10, 64)
	if err != nil || time.Since(time.Unix(stamp, 0)).Abs() > time.Minute {
		t.Errorf("the time stamp is %s", m.header.Get("webhook-timestamp"))
	}
}

func TestSpreadersTogetherMakeEachDeliveryOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newReceiver(t)
	id := w.tells(r)
	user := w.newUser()
	var want []int64
	for range 20 {
		want = append(want, w.happens(user, link.LinkActive))
	}
	var group sync.WaitGroup
	for range 6 {
		group.Go(w.spread)
	}
	group.Wait()
	if n := len(w.log(id)); n != len(want) {
		t.Fatalf("%d deliveries of %d events", n, len(want))
	}
	w.pass()
	r.wantEvents(want...)
}

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

func TestWhatReceiversDo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Hurry(500 * time.Millisecond)
	elsewhere := newReceiver(t)
	huge := strings.Repeat("x", 1<<20)
	for what, c := range map[string]struct {
		answer http.HandlerFunc
		state  notify.State
		status int
		says   string
	}{
		"takes it":           {status(http.StatusNoContent), notify.Delivered, 204, ""},
		"accepts it":         {status(http.StatusAccepted), notify.Delivered, 202, ""},
		"fails":              {status(http.StatusInternalServerError), notify.Waiting, 500, "answered 500"},
		"does not know it":   {status(http.StatusNotFound), notify.Waiting, 404, "answered 404"},
		"is gone":            {status(http.StatusGone), notify.GivenUp, 410, "answered 410"},
		"redirects":          {http.RedirectHandler(elsewhere.URL, http.StatusFound).ServeHTTP, notify.Waiting, 302, "answered 302: redirects are not followed"},
		"redirects for ever": {http.RedirectHandler(elsewhere.URL, http.StatusPermanentRedirect).ServeHTTP, notify.Waiting, 308, "answered 308: redirects are not followed"},
		"hangs up":           {hangUp, notify.Waiting, 0, "the connection was closed before an answer"},
		"says nothing":       {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, notify.Waiting, 0, "no answer within 10s"},
		"talks nonsense": {func(rw http.ResponseWriter, _ *http.Request) {
			if conn, _, err := http.NewResponseController(rw).Hijack(); err == nil {
				_, _ = conn.Write([]byte("\x1b[2Jnonsense\r\n\r\n"))
				conn.Close()
			}
		}, notify.Waiting, 0, "no answer that could be read"},
		"says too much in headers": {func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("X-Huge", huge)
			rw.WriteHeader(http.StatusOK)
		}, notify.Waiting, 0, "no answer that could be read"},
		"says much": {func(rw http.ResponseWriter, _ *http.Request) {
			rw.WriteHeader(http.StatusOK)
			for range 100 {
				if _, err := rw.Write([]byte(huge)); err != nil {
					return
				}
			}
		}, notify.Delivered, 200, ""},
		"never ends what it says": {func(rw http.ResponseWriter, r *http.Request) {
			rw.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(rw).Flush()
			<-r.Context().Done()
		}, notify.Delivered, 200, ""},
	} {
		r := newReceiver(t)
		r.answers(c.answer)
		id := w.tells(r)
		w.happens(w.newUser(), link.LinkActive)
		w.spread()
		if err := w.Deliver(context.Background(), id); err != nil {
			t.Fatal(err)
		}
		l := w.the(id)
		if l.State != c.state || len(l.Attempts) != 1 {
			t.Errorf("%s: %s after %d attempts", what, l.State, len(l.Attempts))
			continue
		}
		if a := l.Attempts[0]; !a.Ended || a.Status != c.status || a.Error != c.says || a.Took > 5*time.Second {
			t.Errorf("%s: the log has %+v", what, a)
		}
		if e := w.endpoint(id); e.FailingSince.IsZero() != (c.says == "") || e.LastSuccess.IsZero() != (c.says != "") {
			t.Errorf("%s: the endpoint is %+v", what, e)
		}
		if err := w.store.RemoveEndpoint(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if len(elsewhere.received()) > 0 {
		t.Error("a redirect was followed")
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newReceiver(t)
	id := w.tells(r)
	r.Close()
	w.happens(w.newUser(), link.LinkActive)
	w.pass()
	if a := w.the(id).Attempts[0]; a.Error != "the connection was refused" || a.Status != 0 {
		t.Errorf("the log has %+v", a)
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

func TestGoneDisables(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newReceiver(t)
	r.answers(status(http.StatusGone))
	id := w.tells(r)
	user := w.newUser()
	first, second := w.happens(user, link.LinkActive), w.happens(user, link.LinkRemoved)
	w.pass()
	w.happens(user, link.LinkActive)
	w.pass()
	r.wantEvents(first)
	if e := w.endpoint(id); e.Disabled != notify.ByGone || e.DisabledAt.IsZero() {
		t.Errorf("the endpoint is %+v", e)
	}
	if waiting, oldest, err := w.store.Backlog(t.Context()); err != nil || waiting != 0 || oldest != 0 {
		t.Errorf("%d wait for %s, %v", waiting, oldest, err)
	}
	r.answers(nil)
	if err := w.store.Enable(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	fourth := w.happens(user, link.LinkRepaired)
	w.pass()
	r.wantEvents(first, second, fourth)
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		status      int
		header      string
		still, then time.Duration
	}{
		"seconds":                {http.StatusTooManyRequests, "600", 9 * time.Minute, 2 * time.Minute},
		"a date":                 {http.StatusServiceUnavailable, time.Now().Add(10 * time.Minute).UTC().Format(http.TimeFormat), 9 * time.Minute, 2 * time.Minute},
		"an hour at most":        {http.StatusTooManyRequests, "86400", 59 * time.Minute, 2 * time.Minute},
		"a date in the past":     {http.StatusTooManyRequests, "Mon, 02 Jan 2006 15:04:05 GMT", 4 * time.Second, 2 * time.Second},
		"nonsense":               {http.StatusTooManyRequests, "soon", 4 * time.Second, 2 * time.Second},
		"not with other answers": {http.StatusInternalServerError, "600", 4 * time.Second, 2 * time.Second},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			r := newReceiver(t)
			r.answers(func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("Retry-After", c.header)
				rw.WriteHeader(c.status)
			})
			w.tells(r)
			first := w.happens(w.newUser(), link.LinkActive)
			w.pass()
			r.answers(nil)
			paused := c.still > time.Minute
			another := w.happens(w.newUser(), link.LinkActive)
			w.db.Advance(t, c.still)
			w.pass()
			if paused {
				r.wantEvents(first) // the whole endpoint has asked for a pause
			} else {
				r.wantEvents(first, another)
			}
			w.db.Advance(t, c.then)
			w.pass()
			if got := r.events(); len(got) != 3 || !slices.Contains(got[1:], ids(first)[0]) {
				t.Errorf("got events %v", got)
			}
		})
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

// A process that is killed while it sends leaves its claim behind.
func TestMessageOfAKilledProcessIsSentAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newReceiver(t)
	id := w.tells(r)
	event := w.happens(w.newUser(), link.LinkActive)
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
	late := notify.Verdict{State: notify.Waiting}
	if err := w.store.Settle(t.Context(), killed, notify.Answer{Status: 500, Error: "answered 500"}, late); err != nil {
		t.Fatal(err)
	}
	if l := w.the(id); l.State != notify.Delivered || l.Attempts[0].Status != 500 {
		t.Errorf("the log has %+v", l)
	}
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

func TestSpreadGoesThroughManyEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.tells(newReceiver(t))
	user := w.newUser()
	w.exec(`INSERT INTO link_events (user_id, event, from_state, to_state, actor, request_id, type)
		SELECT $1, 'test', 'active', 'active', 'system', 'req', 'link.active' FROM generate_series(1, 1200)`, user)
	w.spread()
	if n := w.endpoint(id).Waiting; n != 1200 {
		t.Errorf("%d wait", n)
	}
	if cursor, err := w.store.Cursor(t.Context()); err != nil || cursor != one[int64](w, "SELECT max(id) FROM link_events") {
		t.Errorf("the cursor is at %d, %v", cursor, err)
	}
}

func TestEndpointThatGoesMeanwhileIsLeftOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := newReceiver(t)
	w.tells(r)
	event := w.happens(w.newUser(), link.LinkActive)
	gone := notify.Delivery{
		ID: uuid.New(), Endpoint: uuid.New(), Event: event, User: w.newUser(), Type: link.LinkActive, Body: "{}", State: notify.Waiting,
	}
	if err := w.store.Queue(t.Context(), 0, event, []notify.Delivery{gone}); err != nil {
		t.Fatal(err)
	}
	if n := one[int](w, "SELECT count(*) FROM webhook_deliveries"); n != 0 {
		t.Errorf("%d deliveries", n)
	}
	if err := w.store.Queue(t.Context(), 0, event-1, nil); err != nil || one[int64](w, "SELECT event_id FROM webhook_cursor") != event {
		t.Errorf("the cursor went back, %v", err)
	}
}
