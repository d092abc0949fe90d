package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

func TestLinkWithoutCode(t *testing.T) {
	t.Parallel()
	b := newSite(t).runner()
	b.get("/link").want(http.StatusOK).wantText("Not linked")
	b.get("/link/mfa").wantRedirect("/link")
	b.link("plain").wantRedirect("/link")
	b.get("/link").want(http.StatusOK).wantText("Active", "a few seconds ago", "plain@garmin.example", "Your Garmin account is linked.")
	b.post("/link/validate").wantRedirect("/link")
	b.get("/link").wantText("Garmin confirmed that your link works.")
	b.post("/link/unlink", "confirm", "yes").wantRedirect("/link")
	b.get("/link").wantText("Not linked", "no longer linked")
}

func TestLinkWithCode(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	b.link("mfa").wantRedirect("/link/mfa")
	b.get("/link").wantText("Enter the code from Garmin")
	p := b.get("/link/mfa").want(http.StatusOK).wantText("Waiting for your code", "by e-mail", "5 attempts left")
	id := p.value("/link/mfa", "challenge")

	wrong := b.post("/link/mfa", "challenge", id, "code", "000 000").want(http.StatusUnprocessableEntity)
	wrong.wantText("That was not the right code.", "4 attempts left")
	if wrong.value("/link/mfa", "code") != "" {
		t.Error("the page keeps the code")
	}
	b.post("/link/mfa", "challenge", id, "code", "abc").want(http.StatusUnprocessableEntity).wantText("4 to 10 digits", "4 attempts left")

	early := b.post("/link/mfa/resend", "challenge", id).want(http.StatusTooManyRequests).wantText("A code is on its way")
	if early.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	s.db.Advance(t, time.Minute)
	b.post("/link/mfa/resend", "challenge", id).wantRedirect("/link/mfa")
	b.get("/link/mfa").wantText("Garmin is sending a new code.")

	b.post("/link/mfa", "challenge", id, "code", garmintest.DemoCode).wantRedirect("/link")
	b.get("/link").wantText("Active")
	s.db.Advance(t, time.Hour)
	b.post("/link/mfa", "challenge", id, "code", garmintest.DemoCode).want(http.StatusConflict).wantText("not awaited any more")
	b.post("/link/mfa", "challenge", "no id", "code", garmintest.DemoCode).want(http.StatusConflict)
}

func TestCancelledChallenge(t *testing.T) {
	t.Parallel()
	b := newSite(t).runner()
	b.link("mfa").wantRedirect("/link/mfa")
	b.post("/link/cancel").wantRedirect("/link")
	b.get("/link").wantText("Not linked", "was cancelled")
}

func TestFiveWrongCodes(t *testing.T) {
	t.Parallel()
	b := newSite(t).runner()
	b.link("mfa").wantRedirect("/link/mfa")
	for range 4 {
		b.post("/link/mfa", "code", "000000").want(http.StatusUnprocessableEntity)
	}
	b.post("/link/mfa", "code", "000000").want(http.StatusUnprocessableEntity).wantText("Too many wrong codes", "Not linked")
}

func TestBadFields(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	for _, c := range []struct{ email, password, region, id, says string }{
		{"plain", "typed-secret", "garmin.cn", "garmin-email-error", "e-mail address that you use at Garmin"},
		{"plain@garmin.example", "", "garmin.cn", "garmin-password-error", "password that you use at Garmin"},
		{"plain@garmin.example", "typed-secret", "garmin.de", "garmin-region-error", "Choose where"},
	} {
		p := b.post("/link", "email", c.email, "password", c.password, "region", c.region).want(http.StatusUnprocessableEntity)
		p.wantText(c.says)
		if p.element(c.id) == nil {
			t.Errorf("no element %s in\n%s", c.id, p.source)
		}
		if p.value("/link", "email") != c.email || p.value("/link", "password") != "" || strings.Contains(p.source, "typed-secret") {
			t.Errorf("the form keeps %q and %q", p.value("/link", "email"), p.value("/link", "password"))
		}
		if c.region == "garmin.cn" && p.value("/link", "region") != c.region {
			t.Errorf("the form forgot the region: %q", p.value("/link", "region"))
		}
	}
	if n := s.garmin.Calls(garmintest.OpLogin); n != 0 {
		t.Errorf("Garmin was asked %d times", n)
	}
}

func TestWhatGarminSays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, account string
		fault         garmintest.Fault
		status        int
		says          string
		retry         string
	}{
		{name: "locked", account: "locked", status: http.StatusUnprocessableEntity, says: "Garmin has locked this account"},
		{name: "child", account: "child", status: http.StatusUnprocessableEntity, says: "Accounts of children"},
		{name: "captcha", account: "captcha", status: http.StatusUnprocessableEntity, says: "that you are human"},
		{name: "unknown", account: "nobody", status: http.StatusUnprocessableEntity, says: "did not accept this e-mail and password"},
		{name: "edge", account: "plain", fault: garmintest.EdgeBlocked, status: http.StatusUnprocessableEntity, says: "turned our server away"},
		{name: "limit", account: "plain", fault: garmintest.AddressLimited(7 * time.Minute), status: http.StatusTooManyRequests, says: "slow down", retry: "420"},
		{name: "down", account: "plain", fault: garmintest.ServerError, status: http.StatusServiceUnavailable, says: "Garmin does not answer", retry: "60"},
		{name: "new", account: "plain", fault: garmintest.UnknownType, status: http.StatusUnprocessableEntity, says: "Reference for support"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			b := s.runner()
			if c.fault != nil {
				s.garmin.Fail(garmintest.OpLogin, c.fault, 0)
			}
			p := b.link(c.account).want(c.status).wantText(c.says)
			if got := p.Header.Get("Retry-After"); got != c.retry {
				t.Errorf("Retry-After is %q, want %q", got, c.retry)
			}
			if got := p.value("/link", "email"); got != c.account+"@garmin.example" {
				t.Errorf("the form keeps %q", got)
			}
			if strings.Contains(p.source, garmintest.DemoPassword) {
				t.Error("the page keeps the password")
			}
		})
	}
}

func TestAnotherGarminAccount(t *testing.T) {
	t.Parallel()
	b := newSite(t).runner()
	b.link("plain").wantRedirect("/link")
	b.link("mfa").wantRedirect("/link/mfa")
	b.post("/link/mfa", "code", garmintest.DemoCode).wantRedirect("/link")
	p := b.get("/link").wantText("Use another Garmin account?", "mfa@garmin.example")
	b.post("/link/replace", "candidate", p.value("/link/replace", "candidate")).want(http.StatusUnprocessableEntity).
		wantText("Your answer is missing")
	b.post("/link/replace", "candidate", "12x", "confirm", "yes").want(http.StatusConflict)
	b.post("/link/replace", "candidate", p.value("/link/replace", "candidate"), "confirm", "no").wantRedirect("/link")
	b.get("/link").wantText("plain@garmin.example", "Your link stays as it was.")
	b.post("/link/replace", "confirm", "yes").want(http.StatusConflict).wantText("not open any more")

	b.link("mfa")
	b.post("/link/mfa", "code", garmintest.DemoCode)
	b.post("/link/replace", "confirm", "yes").wantRedirect("/link")
	b.get("/link").wantText("Active", "mfa@garmin.example")
}

func TestUnlinkAsksFirst(t *testing.T) {
	t.Parallel()
	b := newSite(t).runner()
	b.link("plain").wantRedirect("/link")
	b.post("/link/unlink").want(http.StatusUnprocessableEntity).wantText("Active", "Your answer is missing")
	b.post("/link/unlink", "confirm", "no").want(http.StatusUnprocessableEntity)
}

func TestADeadLinkSaysWhy(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	b.post("/link/validate").want(http.StatusConflict).wantText("No Garmin account is linked")
	b.link("plain").wantRedirect("/link")
	if _, err := s.db.Pool.Exec(t.Context(), `UPDATE garmin_authentication_states
		SET session_data = NULL, generation = NULL, reason = 'grant_refused', state_since = app_now()`); err != nil {
		t.Fatal(err)
	}
	p := b.get("/link").wantText("Sign-in needed", "Garmin no longer renews our access")
	if p.value("/link", "email") != "plain@garmin.example" {
		t.Error("the form does not know the e-mail")
	}
	b.post("/link/validate").want(http.StatusUnprocessableEntity).wantText("Garmin no longer accepts the link")
	b.link("plain").wantRedirect("/link")
	b.get("/link").wantText("Active")
}

func TestActsOnTheLinkAreLimited(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	for range 40 {
		b.post("/link/cancel").wantRedirect("/link")
	}
	p := b.post("/link", "email", "plain@garmin.example", "password", garmintest.DemoPassword, "region", "garmin.cn").
		want(http.StatusTooManyRequests).wantText("Too many tries")
	if p.value("/link", "email") != "plain@garmin.example" || p.value("/link", "region") != "garmin.cn" {
		t.Error("the form does not keep what was entered")
	}
	if s.garmin.Calls(garmintest.OpLogin) != 0 {
		t.Error("Garmin was asked")
	}
}

func TestStatusPart(t *testing.T) {
	t.Parallel()
	b := newSite(t).runner()
	b.link("plain").wantRedirect("/link")
	b.header.Set("HX-Request", "true")
	for _, c := range []struct {
		query string
		moved bool
	}{{"", false}, {"?shown=active", false}, {"?shown=mfa_pending", true}, {"?shown=<b>", false}} {
		p := b.get("/link/status" + c.query).want(http.StatusOK).wantText("Active")
		if p.element("status") == nil || p.element("main") != nil || strings.Contains(p.source, "<html") {
			t.Errorf("%s: not the status part alone:\n%s", p.request, p.source)
		}
		if moved := strings.Contains(p.text(), "This changed"); moved != c.moved {
			t.Errorf("%s: moved is %v", p.request, moved)
		}
	}
}

func TestHTMXGetsParts(t *testing.T) {
	t.Parallel()
	b := newSite(t).runner()
	b.header.Set("HX-Request", "true")
	b.header.Set("HX-Current-URL", b.url+"/link")
	part := func(p *page, status int, pushed string) *page {
		t.Helper()
		p.want(status)
		if p.element("main") != nil || strings.Contains(p.source, "<html") || !strings.Contains(p.source, "<title>") {
			t.Errorf("%s: not a part with its title:\n%s", p.request, p.source)
		}
		if got := p.Header.Get("HX-Push-Url"); got != pushed {
			t.Errorf("%s: HX-Push-Url is %q, want %q", p.request, got, pushed)
		}
		return p
	}
	part(b.link("locked"), http.StatusUnprocessableEntity, "").wantText("Garmin has locked this account")
	part(b.link("mfa"), http.StatusOK, "/link/mfa").wantText("Enter the code")
	b.header.Set("HX-Current-URL", b.url+"/link/mfa")
	part(b.post("/link/mfa", "code", "000000"), http.StatusUnprocessableEntity, "").wantText("not the right code")
	part(b.post("/link/mfa", "code", garmintest.DemoCode), http.StatusOK, "/link").wantText("Active", "Your Garmin account is linked.")
	b.header.Set("HX-Current-URL", b.url+"/link")
	part(b.post("/link/validate"), http.StatusOK, "").wantText("Garmin confirmed")
	part(b.post("/link/unlink", "confirm", "yes"), http.StatusOK, "").wantText("no longer linked")
	part(b.get("/nowhere"), http.StatusNotFound, "")
	b.header.Del("HX-Request")
	if strings.Contains(b.get("/link").text(), "no longer linked") {
		t.Error("what htmx was told is told again")
	}
}
