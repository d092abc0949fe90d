package web_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
)

const hostState = "9pYc2VtRZ0u4"

// guest is a user of a host application's, whom it sends over, and his browser.
type guest struct {
	*browser
	s       *site
	user    uuid.UUID
	session link.ConnectSession
	door    string // the path with the secret
}

// sent is a guest who has not opened the address yet.
func (s *site) sent(externalID string, p link.Purpose) *guest {
	s.t.Helper()
	ctx := context.Background()
	u, err := s.accounts.EnsureExternal(ctx, externalID, "")
	if err != nil {
		s.t.Fatal(err)
	}
	if s.web.Links.ReturnURLs, err = link.ParseReturnURLs("https://app.example.com"); err != nil {
		s.t.Fatal(err)
	}
	token, _, err := s.accounts.CreateToken(ctx, account.NewToken{Name: "Pace", Scopes: []account.Scope{account.ConnectCreate}})
	if err != nil {
		s.t.Fatal(err)
	}
	c, address, err := s.web.Links.CreateConnect(ctx, link.Act{User: u.ID, By: link.ByWorker}, link.NewConnect{
		Purpose: p, ReturnURL: "https://app.example.com/back?tab=2", State: hostState, Token: token.ID,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return &guest{browser: s.browser(), s: s, user: u.ID, session: c, door: "/connect/" + address.Reveal()}
}

// guest has opened the address and gone on.
func (s *site) guest(externalID string, p link.Purpose) *guest {
	s.t.Helper()
	g := s.sent(externalID, p)
	g.enter(g.browser).wantRedirect("/connect")
	return g
}

// enter opens the address and sends the form of its page.
func (g *guest) enter(b *browser) *page {
	g.t.Helper()
	form := b.get(g.door).want(http.StatusOK).value(g.door, "browser")
	return b.post(g.door, "browser", form)
}

func (g *guest) link(account string) *page {
	g.t.Helper()
	return g.post("/connect", "email", account+"@garmin.example", "password", garmintest.DemoPassword, "region", "garmin.com")
}

// wantBack checks that an answer leads back to the host, and returns what the
// host reads from the address.
func (p *page) wantBack() url.Values {
	p.t.Helper()
	to := p.Header.Get("Location")
	if p.Header.Get("HX-Redirect") != "" {
		to = p.Header.Get("HX-Redirect")
		p.want(http.StatusOK)
	} else {
		p.want(http.StatusSeeOther)
	}
	u, err := url.Parse(to)
	if err != nil || !strings.HasPrefix(to, "https://app.example.com/back?tab=2&") || u.Query().Get("state") != hostState {
		p.t.Fatalf("%s leads to %q", p.request, to)
	}
	return u.Query()
}

func (g *guest) complete(code string) {
	g.t.Helper()
	if _, err := g.s.web.Links.Complete(context.Background(), link.Act{By: link.ByWorker}, g.session.ID, link.Secret(code)); err != nil {
		g.t.Fatal(err)
	}
}

func (g *guest) wantState(want string) {
	g.t.Helper()
	l, err := g.s.web.Links.View(context.Background(), link.Act{User: g.user})
	if err != nil || l.State.String() != want {
		g.t.Errorf("the link is %s, %v; want %s", l.State, err, want)
	}
}

func TestGuestLinksAndGoesBack(t *testing.T) {
	t.Parallel()
	g := newSite(t).guest("runner-42", link.ToLink)
	g.get("/connect").want(http.StatusOK).wantText("Pace asks you to link a Garmin account for runner-42", "go back to app.example.com", "Not linked")
	code := g.link("plain").wantBack().Get("code")
	g.wantState("not_linked")
	g.get("/connect").wantText("Your Garmin account is linked", "Pia Plain", "Go back to Pace")
	if again := g.post("/connect/replace", "confirm", "yes").wantBack().Get("code"); again != code {
		t.Error("going back once more brings another code")
	}
	g.complete(code)
	g.wantState("active")
	g.get("/connect").wantText("There is nothing left to do here")
	g.post("/connect/leave").wantBack()
	g.link("sms").wantRedirect("/connect")
	g.wantState("active")
}

func TestGuestLinksWithACode(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	g := s.guest("runner-42", link.ToLink)
	g.link("mfa").wantRedirect("/connect/mfa")
	p := g.get("/connect/mfa").want(http.StatusOK).wantText("Enter the code from Garmin", "by e-mail")
	id := p.value("/connect/mfa", "challenge")
	g.post("/connect/mfa", "challenge", id, "code", "000000").want(http.StatusUnprocessableEntity).wantText("That was not the right code.", "Pace")
	s.db.Advance(t, time.Minute)
	g.post("/connect/mfa/resend", "challenge", id).wantRedirect("/connect/mfa")
	g.header.Set("HX-Request", "true")
	code := g.post("/connect/mfa", "challenge", id, "code", garmintest.DemoCode).wantBack().Get("code")
	g.complete(code)
	g.wantState("active")
}

func TestGuestGivesACodeUp(t *testing.T) {
	t.Parallel()
	g := newSite(t).guest("runner-42", link.ToLink)
	g.link("mfa").wantRedirect("/connect/mfa")
	g.post("/connect/cancel").wantRedirect("/connect")
	g.get("/connect/mfa").wantRedirect("/connect")
	g.link("nobody").want(http.StatusUnprocessableEntity).wantText("Garmin did not accept this e-mail and password")
	if got := g.post("/connect/leave").wantBack().Get("error"); got != "cancelled" {
		t.Errorf("goes back with %q", got)
	}
	g.get("/connect").want(http.StatusOK).wantText("You gave this up")
}

// What was brought along may be another person's: the page asks first.
func TestGuestIsAskedWhoseTicketItIs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	g := s.guest("runner-42", link.ToLink)
	p := g.get("/connect/handoff").want(http.StatusOK)
	if !strings.Contains(p.Header.Get("Content-Security-Policy"), "frame-src https://sso.garmin.com") {
		t.Error("Garmin's page cannot be framed")
	}
	g.post("/connect/ticket", "ticket", s.address("plain", garmin.RegionGlobal), "region", "garmin.com").wantRedirect("/connect")
	p = g.get("/connect").wantText("You signed in to Garmin as Pia Plain", "Not me")
	id := p.value("/connect/replace", "candidate")
	g.post("/connect/replace", "candidate", id, "confirm", "no").wantRedirect("/connect")
	g.post("/connect/replace", "candidate", id, "confirm", "yes").want(http.StatusConflict)
	s.db.Advance(t, time.Minute)
	g.complete(g.link("plain").wantBack().Get("code"))
	g.wantState("active")
}

func TestGuestMayChangeTheAccount(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	g := s.guest("runner-42", link.ToLink)
	g.complete(g.link("plain").wantBack().Get("code"))
	s.garmin.Add(garmintest.Account{Email: "other@garmin.example", Password: garmintest.DemoPassword, FullName: "Olga Other"})
	s.db.Advance(t, time.Minute)
	g = s.guest("runner-42", link.ToLink)
	g.link("other").wantRedirect("/connect")
	g.get("/connect").wantText("Use another Garmin account?", "Olga Other", "belonged to Pia Plain", "It counts once you are back at Pace")
	code := g.post("/connect/replace", "confirm", "yes").wantBack().Get("code")
	g.complete(code)
	if l, err := s.web.Links.View(context.Background(), link.Act{User: g.user}); err != nil || l.GarminName != "Olga Other" {
		t.Errorf("linked is %s, %v", l.GarminName, err)
	}
}

func TestGuestRelinksTheSameAccount(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	g := s.guest("runner-42", link.ToLink)
	g.complete(g.link("plain").wantBack().Get("code"))
	s.db.Advance(t, time.Minute)
	g = s.guest("runner-42", link.ToRelink)
	s.garmin.Add(garmintest.Account{Email: "other@garmin.example", Password: garmintest.DemoPassword})
	p := g.get("/connect").wantText("Sign in to Garmin again", "Sign in as Pia Plain")
	if strings.Contains(p.source, "plain@garmin.example") {
		t.Error("the page tells the e-mail of the link")
	}
	g.link("other").want(http.StatusConflict).wantText("That is another Garmin account", "Sign in with the account that is linked")
	g.link("plain").wantBack()
	g.wantState("active")
	g.get("/connect").wantText("You linked Pia Plain", "Go back to Pace")
	g.post("/connect/replace", "confirm", "yes").wantBack()
}

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

// A cookie of a visit opens the pages of a visit, and a sign-in all others.
func TestGuestsReachNothingElse(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	g, owner := s.guest("runner-42", link.ToLink), s.runner()
	owner.link("plain").wantRedirect("/link")
	public := []string{"/", "/healthz", "/readyz", "/static/*", "/signin", "/signup", "/signout", "/api", "/api/*"}
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
	var sent *statements
	g.url, sent = s.counted()
	stranger.url = g.url
	for _, c := range []struct {
		b          *browser
		path       string
		statements int
	}{
		{g.browser, "/connect", 2}, {g.browser, "/connect/status", 2}, {g.browser, "/connect/handoff?region=garmin.com", 1},
		{stranger, g.door, 1}, {stranger, "/connect", 0}, {stranger, "/connect/garbage", 0},
	} {
		sent.take()
		c.b.get(c.path)
		if got := sent.take(); len(got) != c.statements {
			t.Errorf("GET %s costs %d statements, not %d:\n%s", c.path, len(got), c.statements, strings.Join(got, "\n"))
		}
	}
}
