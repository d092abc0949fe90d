package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/account"
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
