package web_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/web"
)

const patience = 30 * time.Second

// listener is an open stream: what it says, until it ends.
type listener struct {
	*page
	said chan string // names of events, and ":" for what a page does not hear
	hang context.CancelFunc
}

func (b *browser) listen() *listener {
	b.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.url+"/link/changes", nil)
	if err != nil {
		b.t.Fatal(err)
	}
	response, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	l := &listener{page: &page{t: b.t, request: "GET /link/changes", Response: response}, said: make(chan string), hang: cancel}
	over := make(chan struct{})
	go func() { defer close(over); l.read(ctx) }()
	b.t.Cleanup(func() { cancel(); <-over })
	return l
}

func (l *listener) read(ctx context.Context) {
	defer close(l.said)
	defer l.Body.Close()
	for lines := bufio.NewScanner(l.Body); lines.Scan(); {
		said, named := strings.CutPrefix(lines.Text(), "event: ")
		if !named && said != ":" {
			continue
		}
		select {
		case l.said <- said:
		case <-ctx.Done():
			return
		}
	}
}

// hears waits until the stream says this; others may come before it.
func (l *listener) hears(want string) *listener {
	l.t.Helper()
	for late := time.After(patience); ; {
		select {
		case said, open := <-l.said:
			if !open {
				l.t.Fatalf("the stream ended before it said %s", want)
			}
			if said == want {
				return l
			}
		case <-late:
			l.t.Fatalf("the stream never said %s", want)
		}
	}
}

// ends waits for the end, and returns what was said until then.
func (l *listener) ends() (heard []string) {
	l.t.Helper()
	for late := time.After(patience); ; {
		select {
		case said, open := <-l.said:
			if !open {
				return heard
			}
			heard = append(heard, said)
		case <-late:
			l.t.Fatal("the stream does not end")
		}
	}
}

// hear begins to hear of changes, until the test ends.
func (s *site) hear() {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var hearing sync.WaitGroup
	hearing.Go(func() { s.changes.Run(ctx) })
	s.t.Cleanup(func() { cancel(); hearing.Wait() })
	for !s.changes.Live() {
		runtime.Gosched()
	}
}

func TestStreamTellsOfChangesOfOnesOwnLink(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.hear()
	b := s.runner()
	if _, err := s.accounts.Create(t.Context(), "other@example.com", password, account.RoleUser); err != nil {
		t.Fatal(err)
	}
	other := s.browser()
	other.post("/signin", "email", "other@example.com", "password", password).want(http.StatusSeeOther)

	mine, theirs := b.listen(), other.listen()
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no",
	} {
		if got := mine.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	mine.hears("changed").hears("alive") // at once; then nothing has changed
	theirs.hears("changed").hears("alive")
	b.link("plain").want(http.StatusSeeOther)
	mine.hears("changed")
	s.web.EndStreams()
	if heard := theirs.ends(); slices.Contains(heard, "changed") {
		t.Errorf("another user's stream said %q", heard)
	}
}

func TestStreamNeedsASignIn(t *testing.T) {
	t.Parallel()
	b := newSite(t).browser()
	if p := b.get("/link/changes").want(http.StatusUnauthorized); p.source != "" || p.Header.Get("Location") != "" {
		t.Errorf("it answers %q", p.source)
	}
}

func TestStreamEndsWithItsSignIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.hear()
	b, elsewhere := s.runner(), s.runner()
	l, stays := b.listen().hears("alive"), elsewhere.listen()
	b.post("/signout").want(http.StatusSeeOther)
	l.ends()
	stays.hears("alive").hears("alive")
}

// A page that is left open must not keep its sign-in alive.
func TestStreamIsNoUseOfTheSignIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.hear()
	l := s.runner().listen().hears("alive")
	s.db.Advance(t, account.IdleLimit-time.Minute)
	l.hears("alive").hears("alive")
	s.db.Advance(t, 2*time.Minute)
	l.ends()
}

func TestStreamIsSilentWhileChangesAreNotHeard(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.runner().listen().hears("changed").hears(":").hears(":")
	s.hear()
	l.hears("changed").hears("alive")
}

func TestStreamsOfOneUserAreFew(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.hear()
	b := s.runner()
	var open []*listener
	for range 8 {
		open = append(open, b.listen().hears("changed"))
	}
	b.get("/link/changes").want(http.StatusTooManyRequests)
	if n := s.web.Streams(); n != 8 {
		t.Errorf("%d streams are open", n)
	}
	open[3].hang()
	for s.web.Streams() == 8 {
		runtime.Gosched() // until the server has noticed
	}
	b.listen().hears("changed")
}

func TestStreamsEndWhenTheServerDoes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.hear()
	b := s.runner()
	l := b.listen().hears("changed")
	s.web.EndStreams()
	l.ends()
	b.listen().ends() // one that comes late
}

func TestAHundredStreamsHearAndEnd(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.hear()
	var all []*listener
	for i := range 13 {
		email := fmt.Sprintf("runner-%d@example.com", i)
		if _, err := s.accounts.Create(t.Context(), email, password, account.RoleUser); err != nil {
			t.Fatal(err)
		}
		b := s.browser()
		b.post("/signin", "email", email, "password", password).want(http.StatusSeeOther)
		for range 8 {
			all = append(all, b.listen().hears("changed"))
		}
	}
	if n := s.web.Streams(); n != len(all) {
		t.Errorf("%d streams are open, not %d", n, len(all))
	}
	s.exec(`SELECT pg_notify(left(current_schema(), 55) || '_changes', id::text) FROM users`)
	for _, l := range all {
		l.hears("changed")
	}
	s.web.EndStreams()
	for _, l := range all {
		l.ends()
	}
	for s.web.Streams() > 0 {
		runtime.Gosched() // until the last has left
	}
}

// The server's time for an answer, and the metrics of such times, are not for
// streams.
func TestStreamOutlivesTheTimeForAnswers(t *testing.T) {
	t.Parallel()
	var observed atomic.Int32
	s := newSite(t)
	s.hear()
	b := s.runner()
	server := httptest.NewUnstartedServer(s.server(func(c *web.Config) {
		c.Observe = func(string, string, int, time.Duration) { observed.Add(1) }
	}))
	server.Config.WriteTimeout = beat
	server.Start()
	t.Cleanup(server.Close)
	elsewhere := b.url // where answers have all the time that they need
	b.url = server.URL
	l := b.listen()
	for range 5 {
		l.hears("alive")
	}
	b.url = elsewhere
	b.post("/signout").want(http.StatusSeeOther)
	l.ends()
	server.Close() // the handler has returned
	if n := observed.Load(); n != 0 {
		t.Errorf("the time of %d streams was taken", n)
	}
}

// A page may be left open by one user while the next signs in in this browser.
func TestOpenPageTellsNothingOfTheNextUser(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.hear()
	b := s.runner()
	page := b.get("/link").want(http.StatusOK)
	status, prompt := page.element("status"), page.element("prompt")
	b.get(attr(status, "hx-get")).want(http.StatusOK)
	if _, err := s.accounts.Create(t.Context(), "other@example.com", password, account.RoleUser); err != nil {
		t.Fatal(err)
	}
	b.post("/signout").want(http.StatusSeeOther)
	b.post("/signin", "email", "other@example.com", "password", password).want(http.StatusSeeOther)
	b.link("plain").want(http.StatusSeeOther)
	for _, asked := range []string{attr(status, "hx-get"), attr(prompt, "hx-get"), attr(prompt, "data-changes")} {
		if p := b.get(asked).want(http.StatusConflict); p.source != "" {
			t.Errorf("%s is answered %q", asked, p.source)
		}
	}
}
