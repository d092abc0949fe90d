package api

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/link"
)

func (p program) events(query string) (page EventPage) {
	p.t.Helper()
	p.get("/events?" + query).want(http.StatusOK).read(&page)
	return page
}

func typesOf(page EventPage) string {
	var types []string
	for _, e := range page.Events {
		types = append(types, string(e.Type))
	}
	return strings.Join(types, " ")
}

func TestEventsAreReadInOrder(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.program(account.LinksRead, account.LinksWrite)
	if page := p.events(""); len(page.Events) != 0 || page.NextAfter != nil {
		t.Errorf("before all there is %+v", page)
	}
	user := linked(s, "42", "plain")
	reauthNeeded(s, user, "plain")
	p.do(http.MethodDelete, "/links/ext:42", "").want(http.StatusNoContent)

	all := p.events("")
	if got := typesOf(all); got != "link.active link.reauth_needed link.removed" {
		t.Fatalf("there are %s", got)
	}
	ended := all.Events[1]
	if ended.Data.User != user || *ended.Data.ExternalID != "42" || ended.Data.State != LinkStateReauthNeeded || *ended.Data.Reason != ReasonGrantRefused {
		t.Errorf("the end is told as %+v", ended.Data)
	}
	after := ""
	for i := range all.Events {
		page := p.events("limit=1" + after)
		if len(page.Events) != 1 || page.Events[0].ID != all.Events[i].ID || *page.NextAfter != page.Events[0].ID {
			t.Errorf("page %d is %+v", i, page)
		}
		after = "&after=" + *page.NextAfter
	}
	if page := p.events(after[1:]); len(page.Events) != 0 || *page.NextAfter != *all.NextAfter {
		t.Errorf("after all there is %+v", page)
	}
	if got := typesOf(p.events("types=link.removed,link.active")); got != "link.active link.removed" {
		t.Errorf("of two types there are %s", got)
	}
}

func TestWaitingEndsWithTheFirstEvent(t *testing.T) {
	t.Parallel()
	for _, heard := range []bool{true, false} {
		t.Run(fmt.Sprint("changes are heard of: ", heard), func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			if heard {
				s.hear()
			}
			p := s.program(account.LinksRead)
			came := make(chan EventPage, 1)
			go func() { came <- p.events("wait=55&types=link.active") }()
			linked(s, "42", "plain")
			select {
			case page := <-came:
				if typesOf(page) != "link.active" {
					t.Errorf("there came %+v", page)
				}
			case <-time.After(30 * time.Second):
				t.Error("nothing came")
			}
		})
	}
}

func TestWaitingEndsWithTheServer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.program(account.LinksRead)
	s.api.EndWaits()
	began := time.Now()
	if page := p.events("wait=55"); len(page.Events) != 0 || time.Since(began) > 30*time.Second {
		t.Errorf("after %s there came %+v", time.Since(began), page)
	}
}

func TestWhoHangsUpIsNoFault(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ctx, hangUp := context.WithCancel(t.Context())
	happened, err := s.api.await(ctx, time.Minute, func(ctx context.Context) ([]link.Happening, error) {
		hangUp()
		return s.links.Happened(ctx, 0, nil, 1)
	})
	if happened != nil || err != nil {
		t.Errorf("%v, %v", happened, err)
	}
}

// Who waits holds no connection: more wait here than the pool has.
func TestManyMayWait(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.program(account.LinksRead)
	most := int(s.db.Pool.Config().MaxConns)
	came := make(chan string, 3*most)
	for range 3 * most {
		go func() { came <- typesOf(p.events("wait=55")) }()
	}
	linked(s, "42", "plain")
	for i := range 3 * most {
		if got := <-came; got != "link.active" {
			t.Errorf("%d: there came %q", i, got)
		}
	}
	if got := fmt.Sprint(s.db.Pool.Stat().AcquiredConns()); got != "0" {
		t.Errorf("%s connections are held", got)
	}
}

// waiting is how many requests wait.
func (s *site) waiting() (n int) {
	s.api.waits.mu.Lock()
	defer s.api.waits.mu.Unlock()
	for _, of := range s.api.waits.waiting {
		n += of
	}
	return n
}

func (s *site) awaitWaiting(want int) {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); s.waiting() != want; {
		if time.Now().After(deadline) {
			s.t.Fatalf("%d wait, want %d", s.waiting(), want)
		}
		runtime.Gosched()
	}
}

// A token that is revoked is over for those who wait with it, too.
func TestRevokedTokenLearnsNothingMore(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.program(account.LinksRead)
	came := make(chan *answer, 1)
	go func() { came <- p.get("/events?wait=55") }()
	s.awaitWaiting(1)
	all, err := s.accounts.Tokens(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.accounts.RevokeToken(t.Context(), all[0].ID); err != nil {
		t.Fatal(err)
	}
	linked(s, "42", "plain")
	(<-came).want(http.StatusUnauthorized).wantCode(CodeUnauthenticated)
}

// Who waits costs a statement at every change: one token must not make thousands
// do so.
func TestFewRequestsOfATokenWait(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p, other := s.program(account.LinksRead), s.program(account.LinksRead)
	came := make(chan *answer, waitsPerToken+1)
	wait := func(p program) { came <- p.get("/events?wait=55") }
	for range waitsPerToken {
		go wait(p)
	}
	s.awaitWaiting(waitsPerToken)
	p.get("/events?wait=55").want(http.StatusTooManyRequests).wantCode(CodeTooManyRequests)
	p.get("/events").want(http.StatusOK)
	go wait(other)
	s.awaitWaiting(waitsPerToken + 1)
	s.api.EndWaits()
	for range waitsPerToken + 1 {
		(<-came).want(http.StatusOK)
	}
	s.awaitWaiting(0)
}
