package api

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/link"
)

// linked makes a user of a host application who has linked a demo account.
func linked(s *site, externalID, demo string) uuid.UUID {
	s.t.Helper()
	u, err := s.accounts.EnsureExternal(s.t.Context(), externalID, "")
	if err != nil {
		s.t.Fatal(err)
	}
	act := link.Act{User: u.ID, By: link.ByWorker, RequestID: uuid.NewString()}
	if _, err := s.links.Import(s.t.Context(), act, link.Import{Text: link.Secret(s.session(demo))}); err != nil {
		s.t.Fatal(err)
	}
	return u.ID
}

// reauthNeeded has Garmin end the link of a user.
func reauthNeeded(s *site, user uuid.UUID, demo string) {
	s.t.Helper()
	s.garmin.KillGrants(demo + "@garmin.example")
	s.garmin.ExpireAccessTokens()
	act := link.Act{User: user, By: link.BySystem, RequestID: uuid.NewString()}
	for range 4 { // a refusal is believed when it is repeated later
		s.db.Advance(s.t, 5*time.Minute)
		if _, err := s.links.Validate(s.t.Context(), act); link.KindOf(err) == link.ReauthNeeded {
			return
		}
	}
	s.t.Fatal("Garmin's refusals end no link")
}

func (p program) link(user string) (l Link) {
	p.t.Helper()
	p.get("/links/" + user).want(http.StatusOK).read(&l)
	return l
}

func TestALinkIsTold(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.program(account.LinksRead)
	began := time.Now().Add(-time.Minute)
	user := linked(s, "42", "plain")
	for _, ref := range []string{"ext:42", "ext%3A42", user.String()} {
		a := p.get("/links/" + ref).want(http.StatusOK)
		var l Link
		a.read(&l)
		if l.User != user || *l.ExternalID != "42" || l.State != LinkStateActive || l.Reason != nil || l.Generation == nil ||
			*l.Region != RegionGarminCom || *l.GarminName == "" || l.LastValidated.Before(began) || l.ExpiresAt.Before(began) || l.LastReport != nil {
			t.Errorf("%s: %s", ref, a.body)
		}
		if want := strconv.Quote(strconv.FormatInt(*l.Generation, 10)); a.Header.Get("ETag") != want {
			t.Errorf("%s: ETag is %q, not %q", ref, a.Header.Get("ETag"), want)
		}
	}
}

func TestAUserWithoutALinkIsNotLinked(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.program(account.LinksRead)
	u, err := s.accounts.EnsureExternal(t.Context(), "new", "")
	if err != nil {
		t.Fatal(err)
	}
	a := p.get("/links/ext:new").want(http.StatusOK)
	var l Link
	if a.read(&l); l.User != u.ID || l.State != LinkStateNotLinked || l.Generation != nil || a.Header.Get("ETag") != "" {
		t.Errorf("%v %s", a.Header, a.body)
	}
}

func TestUsersAreNamedStrictly(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.program(account.LinksRead)
	for name, id := range map[string]string{"a%2Fb": "a/b", "a%20b": "a b", "%C3%A9": "é", "a%25b": "a%b", "ext:x": "ext:x", "a?": "a"} {
		if _, err := s.accounts.EnsureExternal(t.Context(), id, ""); err != nil {
			t.Fatal(err)
		}
		if l := p.link("ext:" + name); *l.ExternalID != id {
			t.Errorf("ext:%s is taken for %q", name, *l.ExternalID)
		}
	}
	for _, user := range []string{"42", "ext:", "ext:a%0Ab", "ext:%FF", uuid.Nil.String(), "{" + uuid.NewString() + "}", "*"} {
		problem := p.get("/links/" + user).want(http.StatusBadRequest).wantCode(CodeInvalidParameter)
		if (*problem.Errors)[0].Field != "user" {
			t.Errorf("%s: at fault is %v", user, *problem.Errors)
		}
	}
	for _, user := range []string{"ext:nobody", uuid.NewString()} {
		p.get("/links/" + user).want(http.StatusNotFound).wantCode(CodeUserNotFound)
	}
}

func TestUnlinkingIsIdempotent(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.program(account.LinksRead, account.LinksWrite)
	linked(s, "42", "plain")
	for range 2 {
		p.do(http.MethodDelete, "/links/ext:42", "").want(http.StatusNoContent)
		if l := p.link("ext:42"); l.State != LinkStateNotLinked {
			t.Errorf("the link is %s", l.State)
		}
	}
	p.do(http.MethodDelete, "/links/ext:nobody", "").want(http.StatusNotFound)
}

// pages follows the cursors of a listing.
func (p program) pages(query string) (pages [][]string) {
	p.t.Helper()
	for cursor := ""; ; {
		var page LinkPage
		p.get("/links?" + query + cursor).want(http.StatusOK).read(&page)
		var ids []string
		for _, l := range page.Links {
			ids = append(ids, *l.ExternalID)
		}
		pages = append(pages, ids)
		if page.NextCursor == nil {
			return pages
		}
		cursor = "&cursor=" + *page.NextCursor
	}
}

func TestListings(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.program(account.LinksRead)
	if got := p.pages("limit=1"); fmt.Sprint(got) != "[[]]" {
		t.Errorf("there are %v", got)
	}
	for _, demo := range []string{"plain", "second", "third"} {
		linked(s, demo, demo)
		s.db.Advance(t, time.Minute)
	}
	for query, want := range map[string]string{
		"limit=2":                            "[[plain second] [third]]",
		"limit=3":                            "[[plain second third]]",
		"":                                   "[[plain second third]]",
		"state=active&limit=1":               "[[plain] [second] [third]]",
		"state=reauth_needed":                "[[]]",
		"updated_after=2100-01-01T00:00:00Z": "[[]]",
	} {
		if got := fmt.Sprint(p.pages(query)); got != want {
			t.Errorf("%q lists %s, not %s", query, got, want)
		}
	}
	seen := p.link("ext:second").UpdatedAt.Format(time.RFC3339Nano)
	if got := p.pages("updated_after=" + seen); !slices.Equal(got[0], []string{"third"}) {
		t.Errorf("after second there are %v", got)
	}
}

func TestFaultyParametersAreRefused(t *testing.T) {
	t.Parallel()
	p := newSite(t).program(account.LinksRead)
	for query, field := range map[string]string{
		"/links?limit=0": "limit", "/links?limit=201": "limit", "/links?limit=": "limit", "/links?limit=5&limit=6": "limit",
		"/links?state=gone": "state", "/links?state=": "state", "/links?updated_after=yesterday": "updated_after",
		"/links?cursor=": "cursor", "/links?cursor=AAAA": "cursor", "/links?cursor=%": "query", "/links?limit=5;state=active": "query", "/links?State=active": "State",
		"/events?after=x": "after", "/events?after=-1": "after", "/events?wait=56": "wait", "/events?wait=1.5": "wait",
		"/events?types=": "types", "/events?types=link.active,link.active": "types", "/events?types=link.gone": "types", "/events?limit=1000": "limit",
	} {
		problem := p.get(query).want(http.StatusBadRequest).wantCode(CodeInvalidParameter)
		if got := (*problem.Errors)[0].Field; got != field {
			t.Errorf("%s: at fault is %s", query, got)
		}
	}
}
