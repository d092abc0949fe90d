package web_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

func (b *browser) export(format, password string, more ...string) *page {
	b.t.Helper()
	return b.post("/link/export", append([]string{"format", format, "password", password}, more...)...)
}

// parsed is the session that a page is.
func (p *page) parsed() (*garmin.Session, garmin.Format) {
	p.t.Helper()
	session, format, err := garmin.ParseAny(p.source)
	if err != nil {
		p.t.Fatalf("%s: %v", p.request, err)
	}
	return session, format
}

func TestExportIsAFile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	b.link("plain").wantRedirect("/link")
	for _, c := range []struct {
		format      garmin.Format
		name, media string
	}{
		{garmin.FormatGarth, "garth-session.txt", "text/plain; charset=utf-8"},
		{garmin.FormatGarminconnect, "garmin_tokens.json", "application/json"},
	} {
		p := b.export(string(c.format), password).want(http.StatusOK)
		if got := p.Header.Get("Content-Disposition"); got != `attachment; filename="`+c.name+`"` {
			t.Errorf("%s: %s", c.format, got)
		}
		if p.Header.Get("Content-Type") != c.media || p.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", c.format, p.Header)
		}
		plain, format := p.parsed()
		whole, _ := b.export(string(c.format), password, "renewal", "yes").want(http.StatusOK).parsed()
		if format != c.format || plain.Renewal() != garmin.RenewNone || whole.Renewal() != garmin.RenewDI {
			t.Errorf("%s: is %s, renewed by %s, and with renewal by %s", c.format, format, plain.Renewal(), whole.Renewal())
		}
		if _, err := s.elsewhere().Profile(context.Background(), plain); err != nil {
			t.Errorf("%s: the copy does not work: %v", c.format, err)
		}
	}
	var history string
	if err := s.db.Pool.QueryRow(t.Context(), `SELECT string_agg(actor || ' ' || event || ' ' || coalesce(reason, ''), ', ' ORDER BY id)
		FROM link_events WHERE event = 'exported'`).Scan(&history); err != nil {
		t.Fatal(err)
	}
	if want := "user exported , user exported with_renewal, user exported , user exported with_renewal"; history != want {
		t.Errorf("the history has %q, want %q", history, want)
	}
	b.post("/link/unlink", "confirm", "yes").wantRedirect("/link")
}

// The way from one installation to another.
func TestWhatIsExportedCanBeImported(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	for _, format := range []string{"garth", "garminconnect"} {
		b.link("plain").wantRedirect("/link")
		copied := b.export(format, password, "renewal", "yes").want(http.StatusOK).source
		b.post("/link/unlink", "confirm", "yes").wantRedirect("/link")
		b.post("/link/import", "session", copied).wantRedirect("/link")
		b.get("/link").wantText("Active", "Pia Plain")
		b.post("/link/unlink", "confirm", "yes").wantRedirect("/link")
	}
}

func TestExportNeedsThePasswordAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	b.link("plain").wantRedirect("/link")
	for _, wrong := range []string{"", "not my password", garmintest.DemoPassword} {
		p := b.export("garminconnect", wrong, "renewal", "yes").want(http.StatusUnprocessableEntity).
			wantText("Type the password with which you sign in here.")
		if field := p.element("password"); field == nil || attr(field, "aria-invalid") != "true" || has(field, "value") {
			t.Errorf("the field is not at fault in\n%s", p.source)
		}
		if p.value("/link/export", "format") != "garminconnect" || strings.Contains(p.text(), "E-mail") {
			t.Error("the form forgot the format, or speaks of an e-mail")
		}
		if p.Header.Get("Content-Disposition") != "" {
			t.Error("a page comes as a file")
		}
	}
	b.export("pickle", password).want(http.StatusUnprocessableEntity).wantText("Choose the program")
	var exported int
	if err := s.db.Pool.QueryRow(t.Context(), "SELECT count(*) FROM link_events WHERE event = 'exported'").Scan(&exported); err != nil || exported != 0 {
		t.Errorf("%d copies are on record (%v)", exported, err)
	}
}

func TestExportsAreLimited(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	b.link("plain").wantRedirect("/link")
	for range 10 {
		b.export("garth", "not my password").want(http.StatusUnprocessableEntity)
	}
	p := b.export("garth", password).want(http.StatusTooManyRequests).wantText("Too many tries")
	if p.element("password") == nil || p.Header.Get("Retry-After") == "" {
		t.Errorf("not the form, or no Retry-After:\n%s", p.source)
	}
	b.link("plain").wantRedirect("/link") // other forms go on
	s.db.Advance(t, 15*time.Minute)
	b.export("garth", password).want(http.StatusOK)
}

// Both guess the same password.
func TestExportsCountAmongTheSignInsOfAnEmail(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	b.link("plain").wantRedirect("/link")
	count := func() (n int) {
		t.Helper()
		if err := s.db.Pool.QueryRow(t.Context(), "SELECT count(*) FROM rate_limits WHERE key LIKE 'signin/email/%'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	b.export("garth", "not my password").want(http.StatusUnprocessableEntity)
	if count() != 1 {
		t.Errorf("%d e-mails are counted, not the one of the sign-in", count())
	}
}

func TestOnlyALiveSessionIsExported(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	b.get("/link/export").wantRedirect("/link")
	b.export("garth", password).want(http.StatusConflict).wantText("nothing to check or to copy", "Link your Garmin account")
	b.link("plain").wantRedirect("/link")
	b.get("/link/export").want(http.StatusOK).wantText("Renewing it elsewhere ends this link")
	b.link("mfa").wantRedirect("/link/mfa")
	b.get("/link/export").want(http.StatusOK) // the former session still works
	b.post("/link/cancel").wantRedirect("/link")
	if _, err := s.db.Pool.Exec(t.Context(), `UPDATE garmin_authentication_states
		SET session_data = NULL, generation = NULL, reason = 'grant_refused', state_since = app_now()`); err != nil {
		t.Fatal(err)
	}
	b.get("/link/export").wantRedirect("/link")
	b.export("garth", password).want(http.StatusUnprocessableEntity).wantText("Garmin no longer accepts the link", "Sign-in needed")
}

// Only the file that was asked for holds a token, whatever way it came.
func TestNoPageHoldsAToken(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	b.post("/link/import", "session", s.dumps(s.session("plain", garmin.RegionGlobal))).wantRedirect("/link")
	for _, p := range []*page{
		b.get("/link"), b.get("/link/status"), b.get("/link/import"), b.get("/link/export"), b.get("/link/handoff"),
		b.export("garth", "not my password"), b.post("/link/import", "session", s.dumps(s.session("plain", garmin.RegionGlobal))[:300]),
	} {
		for _, secret := range s.garmin.Secrets() {
			if len(secret) > 8 && strings.Contains(p.source, secret) {
				t.Errorf("%s: a secret of Garmin's stands in\n%s", p.request, p.source)
			}
		}
	}
	for _, secret := range s.garmin.Secrets() {
		if len(secret) > 8 && strings.Contains(s.log.String(), secret) {
			t.Error("a secret of Garmin's stands in the log")
		}
	}
}
