package notify_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/notify"
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
