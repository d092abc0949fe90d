package web_test

import (
	"context"
	"net/http"
	"net/url"
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
