package notify_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/notify"
)

// answering is what a receiver does, and what becomes of a delivery by it.
type answering struct {
	answer http.HandlerFunc
	state  notify.State
	status int
	says   string
}

var huge = strings.Repeat("x", 1<<20)

// answers are by what receivers do; those that redirect lead elsewhere.
func answers(t *testing.T, elsewhere string) map[string]answering {
	return map[string]answering{
		"takes it":                 {status(http.StatusNoContent), notify.Delivered, 204, ""},
		"accepts it":               {status(http.StatusAccepted), notify.Delivered, 202, ""},
		"fails":                    {status(http.StatusInternalServerError), notify.Waiting, 500, "answered 500"},
		"does not know it":         {status(http.StatusNotFound), notify.Waiting, 404, "answered 404"},
		"is gone":                  {status(http.StatusGone), notify.GivenUp, 410, "answered 410"},
		"redirects":                {http.RedirectHandler(elsewhere, http.StatusFound).ServeHTTP, notify.Waiting, 302, "answered 302: redirects are not followed"},
		"redirects for ever":       {http.RedirectHandler(elsewhere, http.StatusPermanentRedirect).ServeHTTP, notify.Waiting, 308, "answered 308: redirects are not followed"},
		"hangs up":                 {hangUp, notify.Waiting, 0, "the connection was closed before an answer"},
		"says nothing":             {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, notify.Waiting, 0, "no answer within 10s"},
		"speaks of other things":   {upgrade(t), notify.Waiting, 101, "answered 101"},
		"talks nonsense":           {talkNonsense, notify.Waiting, 0, "no answer that could be read"},
		"says too much in headers": {sendHugeHeader, notify.Waiting, 0, "no answer that could be read"},
		"says much":                {sendMuch, notify.Delivered, 200, ""},
		"never ends what it says":  {neverEnd, notify.Delivered, 200, ""},
	}
}

// upgrade leaves HTTP, and says no more on a connection that stays open.
func upgrade(t *testing.T) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			t.Cleanup(func() { conn.Close() })
			_, _ = conn.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n"))
		}
	}
}

func talkNonsense(w http.ResponseWriter, _ *http.Request) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_, _ = conn.Write([]byte("\x1b[2Jnonsense\r\n\r\n"))
		conn.Close()
	}
}

func sendHugeHeader(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("X-Huge", huge)
	w.WriteHeader(http.StatusOK)
}

func sendMuch(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusOK)
	for range 100 {
		if _, err := w.Write([]byte(huge)); err != nil {
			return
		}
	}
}

func neverEnd(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

func TestWhatReceiversDo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Hurry(2 * time.Second)
	elsewhere := newReceiver(t)
	for what, c := range answers(t, elsewhere.URL) {
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
		"a date in the past":     {http.StatusTooManyRequests, "Mon, 02 Jan 2006 15:04:05 GMT", 2 * time.Second, 4 * time.Second},
		"nonsense":               {http.StatusTooManyRequests, "soon", 2 * time.Second, 4 * time.Second},
		"not with other answers": {http.StatusInternalServerError, "600", 2 * time.Second, 4 * time.Second},
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
