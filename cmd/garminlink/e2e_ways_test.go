package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// elsewhere is what another program of the user's has got from Garmin.
func (s *stack) elsewhere(account string, region garmin.Region) (*garmin.Ticket, *garmin.Client) {
	s.t.Helper()
	c := garmin.New(garmin.Options{
		Transport: s.garmin.Transport(), Now: s.garmin.Now,
		Flows: []garmin.Flow{garmin.Widget.WithPause(garmin.Pause{})},
	})
	ticket, challenge, err := c.Login(s.t.Context(), region, account+"@garmin.example", garmintest.DemoPassword)
	if err == nil && challenge != nil {
		ticket, err = c.SubmitCode(s.t.Context(), challenge, garmintest.DemoCode)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return ticket, c
}

// session is one that the user's own program has.
func (s *stack) session(account string, region garmin.Region) *garmin.Session {
	s.t.Helper()
	ticket, c := s.elsewhere(account, region)
	session, err := c.Exchange(s.t.Context(), ticket)
	if err != nil {
		s.t.Fatal(err)
	}
	return session
}

func dumps(t testing.TB, session *garmin.Session) string {
	return session.Dumps()
}

func TestHandoffLinksAndSaysWhom(t *testing.T) {
	t.Parallel()
	s := serving(t)
	for account, region := range map[string]garmin.Region{"mfa": garmin.RegionGlobal, "china": garmin.RegionChina} {
		v := s.runner("runner-" + account)
		v.get("/link/handoff?region=" + string(region)).want(http.StatusOK)
		ticket, _ := s.elsewhere(account, region)
		address := "https://sso." + string(region) + "/sso/embed?ticket=" + ticket.Value.Reveal()
		page := v.follow(v.post("/link/ticket", "ticket", address, "region", string(region)).wantRedirect("/link"))
		page.wantState("active").wantText("Not you?")
		v.get("/link").wantState("active")
		v.post("/link/validate").wantRedirect("/link")
		s.wantEvents(v.id, "login_done: not_linked -> active")
	}
	if n := s.garmin.Calls(garmintest.OpExchange); n != 2 {
		t.Errorf("%d exchanges", n)
	}
}

func TestSessionMovesInAndACopyMovesOut(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	session := s.session("plain", garmin.RegionGlobal)
	v.post("/link/import", "session", "no session").want(http.StatusUnprocessableEntity).wantText("neither JSON nor")
	page := v.follow(v.post("/link/import", "session", dumps(t, session)).wantRedirect("/link"))
	page.wantState("active").wantText("Pia Plain", "Not you?")

	v.post("/link/export", "format", "garth", "password", "not the password").want(http.StatusUnprocessableEntity)
	copied := v.post("/link/export", "format", "garth", "password", ourPassword).want(http.StatusOK)
	if got := copied.header.Get("Content-Disposition"); !strings.Contains(got, "garth-session.txt") {
		t.Errorf("saved as %q", got)
	}
	theirs, err := garmin.ParseSession([]byte(copied.source))
	if err != nil {
		t.Fatal(err)
	}
	if theirs.Renewal() != garmin.RenewNone {
		t.Error("the copy can end the link")
	}
	s.wantEvents(v.id, "imported: not_linked -> active", "exported: active -> active")
}

func TestAllWaysToSignInAreTriedInOrder(t *testing.T) {
	t.Parallel()
	s := serving(t, "GARMIN_FLOWS=ios,android,widget:1ms-2ms")
	v := s.runner("runner")
	s.garmin.Fail(garmintest.OpLogin, garmintest.EdgeBlocked, 2)
	v.challenge("mfa")
	got := stored[string](s, "SELECT string_agg(flow || ' ' || outcome, ', ' ORDER BY at) FROM link_activity WHERE user_id = $1", v.id)
	if got != "ios blocked, android blocked, widget " {
		t.Errorf("the record is %q", got)
	}
	s.programs[0].await(t, "request", "route", "/link")
}

func TestBlockedUserIsLedToGarminsOwnPage(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	s.garmin.Fail(garmintest.OpLogin, garmintest.EdgeBlocked, 1)
	for _, page := range []*page{v.link("plain").want(http.StatusUnprocessableEntity), v.get("/link")} {
		text := page.text()
		if own, form := strings.Index(text, "Sign in on Garmin’s own page"), strings.Index(text, "Garmin password"); own < 0 || own > form {
			t.Errorf("Garmin's own page is not offered first:\n%s", text)
		}
	}
}

func TestConfiguredConsumerSigns(t *testing.T) {
	t.Parallel()
	s := newStack(t, "GARMIN_FLOWS=android", `GARMIN_CONSUMER={"consumer_key":"ours","consumer_secret":"and-its-secret"}`)
	s.garmin.DIClientIDs = []string{"NONE"}
	s.garmin.ConsumerKey, s.garmin.ConsumerSecret = "ours", "and-its-secret"
	s.replica()
	v := s.runner("runner")
	v.link("plain").wantRedirect("/link")
	s.wantCalls(garmintest.OpOAuth1, 1)
	s.wantCalls(garmintest.OpConsumer, 0)
	s.wantState(v.id, "active")
}
