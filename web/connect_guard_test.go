package web_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

// Programs that look through mail open every address.
func TestLookingAtAnAddressChangesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	g := s.sent("runner-42", link.ToLink)
	row := func() (text string) {
		if err := s.db.Pool.QueryRow(context.Background(), "SELECT c::text FROM connect_sessions c").Scan(&text); err != nil {
			t.Fatal(err)
		}
		return text
	}
	before := row()
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodGet} {
		p := s.browser().do(method, g.door, nil).want(http.StatusOK)
		if len(p.Cookies()) > 0 || p.Header.Get("Referrer-Policy") != "strict-origin" || p.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s answers with %v", method, p.Header)
		}
	}
	if row() != before {
		t.Error("the connect session has changed")
	}
	g.enter(g.browser).wantRedirect("/connect")
	g.get(g.door).wantRedirect("/connect") // it is this browser's
	s.browser().get("/connect/" + strings.Repeat("A", 64)).want(http.StatusNotFound)
}

func TestAddressWorksInOneBrowser(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	g := s.guest("runner-42", link.ToLink)
	other := s.browser()
	p := g.enter(other).want(http.StatusConflict).wantText("This address was used elsewhere")
	if len(p.Cookies()) > 0 {
		t.Error("the other browser has a cookie")
	}
	other.get("/connect").want(http.StatusForbidden).wantText("This page needs an address that was sent to you")
	g.post(g.door, "browser", "the form loaded anew").wantRedirect("/connect")
	g.get("/connect").want(http.StatusOK)
}

func TestLateGuestGoesBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	late, inTime := s.sent("late", link.ToLink), s.guest("in-time", link.ToLink)
	s.db.Advance(t, 30*time.Minute)
	late.get(late.door).want(http.StatusOK).wantText("This address has served its time", "Go back to Pace")
	if got := late.post(late.door).wantBack().Get("error"); got != "expired" {
		t.Errorf("goes back with %q", got)
	}
	inTime.get("/connect").want(http.StatusOK).wantText("It was good for half an hour", "Go back to Pace")
	asked := s.garmin.Calls(garmintest.OpLogin)
	inTime.link("plain").wantRedirect("/connect")
	inTime.post("/connect/ticket", "ticket", "ST-1-x", "region", "garmin.com").wantRedirect("/connect")
	if s.garmin.Calls(garmintest.OpLogin) != asked {
		t.Error("Garmin was asked for one who came too late")
	}
	if got := inTime.post("/connect/leave").wantBack().Get("error"); got != "expired" {
		t.Errorf("goes back with %q", got)
	}
}

// Who typed his password in time may type the code, but begin nothing anew.
func TestGuestTypesTheCodeOfTheLastMoment(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	g := s.guest("runner-42", link.ToLink)
	s.db.Advance(t, 29*time.Minute)
	g.link("mfa").wantRedirect("/connect/mfa")
	s.db.Advance(t, 5*time.Minute)
	g.get("/connect/mfa").want(http.StatusOK).wantText("Enter the code from Garmin")
	asked := s.garmin.Calls(garmintest.OpLogin)
	g.link("plain").wantRedirect("/connect")
	g.get("/connect/handoff").wantRedirect("/connect")
	if s.garmin.Calls(garmintest.OpLogin) != asked {
		t.Error("Garmin was asked for one who came too late")
	}
	g.complete(g.post("/connect/mfa", "code", garmintest.DemoCode).wantBack().Get("code"))
}

// The state, and the code of what was linked, are for the browser that linked.
func TestAddressThatHasServedLeadsNoOtherBrowserBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	linked, left := s.guest("linked", link.ToLink), s.guest("left", link.ToLink)
	linked.complete(linked.link("plain").wantBack().Get("code"))
	left.post("/connect/leave").wantBack()
	for _, g := range []*guest{linked, left} {
		other := s.browser()
		p := other.get(g.door).want(http.StatusOK).wantText("This address has served its time")
		if strings.Contains(p.source, "Go back to") {
			t.Error("the page has a way back")
		}
		p = g.s.browser().post(g.door, "browser", "of a page from before").want(http.StatusConflict)
		if len(p.Cookies()) > 0 || p.Header.Get("Location") != "" {
			t.Errorf("another browser is answered with %v", p.Header)
		}
		g.post("/connect/leave").wantBack()
	}
}

// Nobody has to complete a relink: its cookie opens nothing for ever.
func TestRelinkThatNobodyCompletesIsOver(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	g := s.guest("runner-42", link.ToLink)
	g.complete(g.link("plain").wantBack().Get("code"))
	s.db.Advance(t, time.Minute)
	g = s.guest("runner-42", link.ToRelink)
	g.link("plain").wantBack()
	s.db.Advance(t, time.Hour)
	asked := s.garmin.Calls(garmintest.OpLogin)
	g.link("plain").wantRedirect("/connect")
	if s.garmin.Calls(garmintest.OpLogin) != asked {
		t.Error("Garmin was asked for one who came too late")
	}
	g.get("/connect").want(http.StatusOK).wantText("This address has served its time", "There is nothing left to do here", "Go back to Pace")
	if got := g.post("/connect/leave").wantBack().Get("error"); got != "expired" {
		t.Errorf("goes back with %q", got)
	}
}

// Some accounts at Garmin have no name.
func TestDoorTellsNoEMailOfTheLink(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	g := s.guest("runner-42", link.ToLink)
	g.complete(g.link("plain").wantBack().Get("code"))
	if _, err := s.db.Pool.Exec(t.Context(), "UPDATE garmin_authentication_states SET garmin_name = NULL"); err != nil {
		t.Fatal(err)
	}
	g = s.sent("runner-42", link.ToRelink)
	if p := s.browser().get(g.door).wantText("Sign in as p…@garmin.example"); strings.Contains(p.source, "plain@") {
		t.Error("whoever has the address is told the e-mail of the link")
	}
}

// A cookie of a visit opens the pages of a visit, and a sign-in all others.
func TestGuestsReachNothingElse(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	g, owner := s.guest("runner-42", link.ToLink), s.runner()
	owner.link("plain").wantRedirect("/link")
	public := []string{"/", "/healthz", "/readyz", "/static/*", "/setup", "/mail/:token", "/signin", "/signup", "/signout", "/language", "/api", "/api/*"}
	visits := 0
	for _, route := range s.web.Routes() {
		b, private := g.browser, !slices.Contains(public, route.Path)
		if route.Path == "/connect/:address" || !private {
			continue
		}
		if strings.HasPrefix(route.Path, "/connect") {
			b, visits = owner, visits+1
		}
		if route.Method != http.MethodGet && route.Method != http.MethodPost {
			continue
		}
		p := b.do(route.Method, route.Path, strings.NewReader("confirm=yes&password="+url.QueryEscape(password)))
		signIn := p.StatusCode == http.StatusSeeOther && strings.HasPrefix(p.Header.Get("Location"), "/signin")
		if !signIn && p.StatusCode != http.StatusForbidden && p.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s %s answers %d", route.Method, route.Path, p.StatusCode)
		}
	}
	if visits < 14 {
		t.Errorf("only %d routes of guests were found", visits)
	}
	for _, path := range []string{"unlink", "validate", "export", "import", "changes"} {
		g.post("/connect/"+path, "confirm", "yes").want(http.StatusNotFound)
		g.get("/connect/" + path).want(http.StatusNotFound)
	}
	owner.get("/link").wantText("Active")
}

// Two people, or two visits, in one browser.
func TestGuestAndOwnerInOneBrowser(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	first := s.guest("first", link.ToLink)
	first.post("/signin", "email", email, "password", password).wantRedirect("/link")
	stale := first.get("/connect").wantText("for first").value("/connect", "as")
	first.get("/link").wantText(email, "Not linked")

	second := s.sent("second", link.ToLink)
	second.enter(first.browser).wantRedirect("/connect")
	second.browser = first.browser
	second.post("/connect", "as", stale, "email", "plain@garmin.example", "password", garmintest.DemoPassword, "region", "garmin.com").wantRedirect("/connect")
	second.get("/connect").wantText("for second", "Nothing was done")
	code := second.link("plain").wantBack().Get("code")
	second.complete(code)
	second.wantState("active")
	first.wantState("not_linked")
	first.get("/link").wantText("Not linked")
}

func TestPolicyLetsGuestsGoBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	g := s.guest("runner-42", link.ToLink)
	for path, want := range map[string]string{
		g.door: "", "/connect": "form-action 'self' https://app.example.com;", "/connect/handoff": "form-action 'self' https://app.example.com;",
		"/": "form-action 'self';",
	} {
		if p := g.get(path); !strings.Contains(p.Header.Get("Content-Security-Policy"), want) {
			t.Errorf("%s has the policy %s", path, p.Header.Get("Content-Security-Policy"))
		}
	}
}

func TestLogsHoldNoSecretOfGuests(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	g := s.guest("runner-42", link.ToLink)
	at, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{strings.TrimPrefix(g.door, "/connect/"), hostState}
	for _, cookie := range g.client.Jar.Cookies(at) {
		secrets = append(secrets, cookie.Value)
	}
	secrets = append(secrets, g.link("plain").wantBack().Get("code"))
	g.post(g.door+"x", "browser", "x").want(http.StatusNotFound)
	g.get(g.door + "/x").want(http.StatusNotFound)
	if len(secrets) != 4 {
		t.Fatalf("%d secrets were in play", len(secrets))
	}
	for _, secret := range secrets {
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("the log has %s", secret)
		}
	}
	if !strings.Contains(s.log.String(), "/connect/:address") {
		t.Error("the log does not name the route")
	}
}

func TestPagesOfGuestsCostFewStatements(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	g := s.guest("runner-42", link.ToLink)
	stranger := s.browser()
	var sent *pgtest.Statements
	g.url, sent = s.counted()
	stranger.url = g.url
	for _, c := range []struct {
		b          *browser
		path       string
		statements int
	}{
		{g.browser, "/connect", 3}, {g.browser, "/connect/status", 2}, {g.browser, "/connect/handoff?region=garmin.com", 1},
		{stranger, g.door, 1}, {stranger, "/connect", 0}, {stranger, "/connect/garbage", 0},
	} {
		sent.Take()
		c.b.get(c.path)
		if got := sent.Take(); len(got) != c.statements {
			t.Errorf("GET %s costs %d statements, not %d:\n%s", c.path, len(got), c.statements, strings.Join(got, "\n"))
		}
	}
}
