package web_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// session is one that a program of the user's own has got from Garmin.
func (s *site) session(account string, region garmin.Region) *garmin.Session {
	s.t.Helper()
	session, err := s.elsewhere().Exchange(context.Background(), s.ticket(account, region))
	if err != nil {
		s.t.Fatal(err)
	}
	return session
}

func (s *site) dumps(session *garmin.Session) string {
	return session.Dumps()
}

// files are garth's two files, one after the other, as an editor shows them.
func (s *site) files(session *garmin.Session) string {
	s.t.Helper()
	list, err := base64.StdEncoding.DecodeString(s.dumps(session))
	var parts []json.RawMessage
	if err == nil {
		err = json.Unmarshal(list, &parts)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return string(parts[0]) + "\r\n" + string(parts[1]) + "\r\n"
}

func (s *site) garminconnect(session *garmin.Session) string {
	return session.DumpGarminconnect()
}

func TestImportLinks(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(*site, *garmin.Session) string{
		"garth": (*site).dumps, "garth's files": (*site).files, "garminconnect": (*site).garminconnect,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			b := s.runner()
			b.get("/link/import").want(http.StatusOK).wantText("The session moves here")
			b.post("/link/import", "session", write(s, s.session("china", garmin.RegionChina))).wantRedirect("/link")
			b.get("/link").wantText("Active", "You linked Chen Run . Not you?", "garmin.cn")
			b.post("/link/validate").wantRedirect("/link")
		})
	}
}

func TestFaultsOfSessionsStandAtTheField(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	good := s.dumps(s.session("plain", garmin.RegionGlobal))
	base := func(json string) string { return base64.StdEncoding.EncodeToString([]byte(json)) }
	for _, c := range []struct{ text, says string }{
		{" ", "Paste the session here"},
		{strings.Repeat("a-", 40<<10), "No session is that long"},
		{good[:101], "maybe its end is missing"},
		{base("hello"), "is no session"},
		{`{"oauth_token":"typed-secret","oauth_token_secret":"b","domain":"garmin.com"}`, "one of garth’s two files"},
		{`{"di_token":"", "di_refresh_token":"typed-secret"}`, "the access token is missing"},
		{`{"di_token":"typed-secret","di_refresh_token":"d","di_client_id":"e"}`, "names no region of Garmin’s"},
		{base(`[{"domain":"garmin.com"},{"access_token":"a","expires_at":1,"refresh_token":""}]`), "has ended"},
		{base(`[{"domain":"garmin.com"},{"access_token":"a","refresh_token":"b"}]`), "another program has renewed it"},
	} {
		p := b.post("/link/import", "session", c.text).want(http.StatusUnprocessableEntity).wantText(c.says)
		if field := p.element("session"); field == nil || attr(field, "aria-invalid") != "true" || !has(field, "autofocus") {
			t.Errorf("%.40s: the field is not at fault in\n%s", c.text, p.source)
		}
		if strings.Contains(p.source, "typed-secret") || len(c.text) > 20 && strings.Contains(p.source, c.text) {
			t.Errorf("%.40s: the page keeps what was pasted", c.text)
		}
	}
	b.get("/link").wantText("Not linked")
	if log := s.log.String(); strings.Contains(log, "typed-secret") || strings.Contains(log, good[:101]) {
		t.Errorf("the log keeps what was pasted:\n%s", log)
	}
}

func TestImportDoesNotTakeThePlaceOfALinkThatGoesOn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	b.link("plain").wantRedirect("/link")
	stripped := s.dumps(s.session("plain", garmin.RegionGlobal).Stripped())
	b.post("/link/import", "session", stripped).want(http.StatusUnprocessableEntity).wantText("would end within a day")
	b.post("/link/unlink", "confirm", "yes").wantRedirect("/link")
	b.post("/link/import", "session", stripped).wantRedirect("/link")
}

func TestImportIsRefusedOnItsOwnPage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	session := s.dumps(s.session("plain", garmin.RegionGlobal))
	s.garmin.Fail(garmintest.OpProfile, garmintest.ServerError, 0)
	p := b.post("/link/import", "session", session).want(http.StatusServiceUnavailable).wantText("Garmin does not answer")
	if p.element("session") == nil || strings.Contains(p.source, session) {
		t.Errorf("another page, or one that keeps the session:\n%s", p.source)
	}
}

func TestImportToAnotherAccountAsks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	b.link("plain").wantRedirect("/link")
	b.post("/link/import", "session", s.dumps(s.session("mfa", garmin.RegionGlobal))).wantRedirect("/link")
	b.get("/link").wantText("Use another Garmin account?", "Max Mail")
	b.post("/link/replace", "confirm", "no").wantRedirect("/link")
	b.get("/link").wantText("Pia Plain")
}

// What nothing renews ends: the page says by when to act.
func TestSessionThatEndsIsToldInTime(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	b.post("/link/import", "session", s.dumps(s.session("plain", garmin.RegionGlobal).Stripped())).wantRedirect("/link")
	b.get("/link").want(http.StatusOK).wantText("Reconnect within 24 hours.", "we cannot renew it")
}
