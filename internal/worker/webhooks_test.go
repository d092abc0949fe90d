package worker

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/link"
)

const noneToTell = `NOT EXISTS (SELECT FROM webhook_deliveries WHERE state = 'waiting')
	AND (SELECT event_id FROM webhook_cursor) = (SELECT coalesce(max(id), 0) FROM link_events WHERE type IS NOT NULL)`

// inbox counts the messages that a program of another has got, by their id.
type inbox struct {
	*httptest.Server
	mu    sync.Mutex
	times map[string]int
}

// tells has an inbox told of all events; answer may hold a message up.
func (w *world) tells(answer http.HandlerFunc) *inbox {
	w.t.Helper()
	in := &inbox{times: map[string]int{}}
	in.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		in.mu.Lock()
		in.times[r.Header.Get("webhook-id")]++
		in.mu.Unlock()
		_, _ = io.Copy(io.Discard, r.Body) // a server sees that its client has gone only then
		answer(rw, r)
	}))
	w.t.Cleanup(in.Close)
	if _, _, err := w.webhooks().Add(context.Background(), in.URL, nil); err != nil {
		w.t.Fatal(err)
	}
	return in
}

func (in *inbox) count() (messages, times int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, n := range in.times {
		times += n
	}
	return len(in.times), times
}

func takes(http.ResponseWriter, *http.Request) {}

func TestThreeWorkersTellEachEventOnce(t *testing.T) {
	t.Parallel()
	const users = 10
	w := newWorld(t)
	in := w.tells(takes)
	for range 3 {
		w.run(w.worker())
	}
	links := w.links()
	for _, user := range w.newLinks(users) {
		if err := links.Unlink(t.Context(), link.Act{User: user, By: link.ByUser, RequestID: "req"}); err != nil {
			t.Fatal(err)
		}
	}
	w.await(noneToTell)
	if messages, times := in.count(); messages != 2*users || times != 2*users {
		t.Errorf("%d messages came %d times", messages, times)
	}
	if log := w.log.String(); log != "" {
		t.Errorf("the log has\n%s", log)
	}
}

// An endpoint that hangs has senders of its own, and no more of them than that.
func TestHangingEndpointHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	const users = 3 * sendersEach
	w := newWorld(t)
	var atOnce, most atomic.Int64
	w.tells(func(_ http.ResponseWriter, r *http.Request) {
		defer atOnce.Add(-1)
		if n := atOnce.Add(1); n > most.Load() {
			most.Store(n)
		}
		<-r.Context().Done()
	})
	quick := w.tells(takes)
	w.newLinks(users)
	w.run(w.worker())
	w.await(`count(*) = $1 FROM webhook_deliveries WHERE state = 'delivered'`, users)
	if _, times := quick.count(); times != users {
		t.Errorf("%d messages came", times)
	}
	w.await(`count(*) > 0 FROM webhook_attempts WHERE error = 'no answer within 10s'`)
	if most.Load() > sendersEach {
		t.Errorf("%d messages were sent to it at a time", most.Load())
	}
}

// A process that dies while it sends leaves a job that seems to run, and a
// claim; both are given up by the database's clock.
func TestMessageOfADeadWorkerIsSentByAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	in := w.tells(takes)
	user := w.newLinks(1)[0]
	dead := w.webhooks()
	if err := dead.Spread(t.Context(), w.links()); err != nil {
		t.Fatal(err)
	}
	endpoint := one[uuid.UUID](w, "SELECT id FROM webhook_endpoints")
	if _, err := dead.Store.Claim(t.Context(), endpoint, releaseTime); err != nil {
		t.Fatal(err)
	}
	worker := w.worker()
	for sender := range sendersEach {
		if _, err := worker.client.Insert(t.Context(), deliver{Endpoint: endpoint, Sender: sender}, nil); err != nil {
			t.Fatal(err)
		}
	}
	w.exec("UPDATE river_job SET state = 'running', attempt = 1, attempted_at = now() - interval '1 hour'")
	w.advance(releaseTime)
	w.run(worker)
	w.await(noneToTell)
	if _, times := in.count(); times != 1 {
		t.Errorf("the event of %s came %d times", user, times)
	}
}

func TestWorkerThatEndsLetsItsMessagesArrive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	came, release := make(chan struct{}), make(chan struct{})
	in := w.tells(func(http.ResponseWriter, *http.Request) { close(came); <-release })
	w.newLinks(1)
	stop := w.run(w.worker())
	<-came
	stopped := make(chan struct{})
	go func() { defer close(stopped); stop() }()
	close(release)
	<-stopped
	if _, times := in.count(); times != 1 || !one[bool](w, "SELECT "+noneToTell) {
		t.Errorf("it came %d times", times)
	}
}
