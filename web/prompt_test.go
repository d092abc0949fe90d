package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
)

const asked = "Your link no longer works, and no new data come in."

// dies ends the link of an account at Garmin, and has that noticed.
func (b *browser) dies(s *site, account string) {
	b.t.Helper()
	s.garmin.RevokeAccount(account + "@garmin.example")
	b.post("/link/validate").want(http.StatusUnprocessableEntity)
}

// onPage is the same browser, in which htmx asks for what the prompt's dialog on
// a page shows.
func (b *browser) onPage(path string) *browser {
	on := *b
	on.header = b.header.Clone()
	for name, value := range map[string]string{"HX-Request": "true", "HX-Target": "div#relink", "HX-Current-URL": b.url + path} {
		on.header.Set(name, value)
	}
	return &on
}

func TestEveryPagePromptsWhoseLinkNeedsThem(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.staff(account.RoleAdmin)
	b.link("plain").wantRedirect("/link")
	paths := []string{"/settings", "/history", "/support", "/support/links", "/support/tokens"}
	for _, path := range paths {
		if p := b.get(path); strings.Contains(p.text(), asked) {
			t.Errorf("%s asks without need", path)
		}
	}
	b.dies(s, "plain")
	for _, path := range paths {
		b.get(path).wantText(asked)
	}
	b.get("/link/prompt").want(http.StatusOK).wantText(asked)
	b.link("plain").wantRedirect("/link")
	if p := b.get("/link/prompt").want(http.StatusOK); strings.Contains(p.text(), asked) {
		t.Error("a repaired link is still asked for")
	}
}

func TestPromptOfAnEndThatIsNear(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	b.link("plain").wantRedirect("/link")
	s.exec("UPDATE garmin_authentication_states SET session_ends_at = app_now() + interval '23 hours 30 minutes'")
	b.get("/settings").wantText("Reconnect within 24 hours")
}

func TestPromptSaysThatACodeIsAwaited(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	b.link("mfa").wantRedirect("/link/mfa")
	if p := b.get("/settings"); strings.Contains(p.text(), "Garmin waits for your code") {
		t.Error("a first link is asked for, too")
	}
	b.post("/link/mfa", "code", garmintest.DemoCode).wantRedirect("/link")
	b.dies(s, "mfa")
	b.link("mfa").wantRedirect("/link/mfa")
	b.get("/settings").wantText("Garmin waits for your code", "Enter the code")
}

func TestRelinkInTheDialogLeavesThePageAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	b.link("mfa").wantRedirect("/link/mfa")
	b.post("/link/mfa", "code", garmintest.DemoCode).wantRedirect("/link")
	b.dies(s, "mfa")
	on := b.onPage("/settings")
	wantPart := func(p *page) *page {
		t.Helper()
		if strings.Contains(p.source, "<title") || strings.Contains(p.source, "<h1") || p.Header.Get("HX-Push-Url") != "" {
			t.Errorf("%s changes the page around the dialog:\n%s", p.request, p.source)
		}
		return p
	}
	form := wantPart(on.get("/link").want(http.StatusOK))
	if got := form.value("/link", "email"); got != "mfa@garmin.example" {
		t.Errorf("the e-mail comes as %q", got)
	}
	send := func(password string) *page {
		return wantPart(on.post("/link", "email", "mfa@garmin.example", "password", password, "region", form.value("/link", "region")))
	}
	send("not the password").want(http.StatusUnprocessableEntity).wantText("Garmin did not accept this e-mail and password")
	code := send(garmintest.DemoPassword).want(http.StatusOK).wantText("Code from Garmin")
	id := code.value("/link/mfa", "challenge")
	wantPart(on.post("/link/mfa", "challenge", id, "code", "000000")).want(http.StatusUnprocessableEntity).wantText("not the right code")
	wantPart(on.post("/link/mfa/resend", "challenge", id)).want(http.StatusTooManyRequests).wantText("A code is on its way")
	wantPart(on.post("/link/mfa", "challenge", id, "code", garmintest.DemoCode)).want(http.StatusOK).
		wantText("Your Garmin account is linked.", "Go on")
}

// Whoever was signed out meanwhile comes back to the page that he was on.
func TestDialogAfterTheSignInHasEnded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	b.post("/signout").want(http.StatusSeeOther)
	if to := b.onPage("/history?before=7").get("/link").want(http.StatusUnauthorized).Header.Get("HX-Redirect"); to != "/signin?next=%2Fhistory%3Fbefore%3D7" {
		t.Errorf("he is led to %q", to)
	}
	b.get("/link/prompt").want(http.StatusUnauthorized)
}

func TestGuestsHaveNoPrompt(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	g := s.guest("42", link.ToLink)
	if p := g.get("/connect").want(http.StatusOK); strings.Contains(p.source, `id="prompt"`) || strings.Contains(p.source, "/link/changes") {
		t.Error("a guest hears of a link that is not his to see")
	}
}
