package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// check asks for a check as app.js's page does: the answer goes into the
// element that tells how the link is doing.
func (b *browser) check() *page {
	b.t.Helper()
	formerly := b.header.Clone()
	b.header.Set("HX-Request", "true")
	b.header.Set("HX-Target", "div#standing")
	b.header.Set("HX-Current-URL", b.url+"/link")
	defer func() { b.header = formerly }()
	return b.post("/link/validate")
}

func TestCheckAnswersInItsPlace(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	b.link("plain").wantRedirect("/link")
	p := b.check().want(http.StatusOK).wantText("Garmin confirmed that your link works.", "Pia Plain")
	if strings.Contains(p.source, "<h1") || p.Header.Get("HX-Retarget") != "" {
		t.Error("the answer is more than the part that was asked for")
	}
	s.garmin.Fail(garmintest.OpProfile, garmintest.ServerError, 0)
	p = b.check().want(http.StatusServiceUnavailable).wantText("Garmin does not answer", "Reference for support", "Active")
	if strings.Contains(p.source, "<h1") {
		t.Error("the failure is more than the part that was asked for")
	}
}

// What is around it is about a link that works.
func TestCheckThatFindsTheLinkDeadChangesThePage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	b.link("plain").wantRedirect("/link")
	s.garmin.RevokeAccount("plain@garmin.example")
	p := b.check().want(http.StatusUnprocessableEntity).wantText("Garmin no longer accepts the link", "Sign in to Garmin again")
	if !strings.Contains(p.source, "<h1") || p.Header.Get("HX-Retarget") != "#main" || p.Header.Get("HX-Reswap") != "innerHTML" {
		t.Errorf("the page stays, with %v", p.Header)
	}
}

func TestChecksAreLimited(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	b.link("plain").wantRedirect("/link")
	for range 6 {
		b.post("/link/validate").wantRedirect("/link")
	}
	asked := s.garmin.Calls(garmintest.OpProfile)
	b.post("/link/validate").want(http.StatusTooManyRequests).wantText("That was checked just now", "You can try again in")
	if s.garmin.Calls(garmintest.OpProfile) != asked {
		t.Error("Garmin was asked")
	}
	b.link("plain").wantRedirect("/link") // has an allowance of its own
}

func TestPageTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		harm func(*site, *browser)
		says []string
	}{
		"nothing": {func(*site, *browser) {}, []string{"Next check", "Not by itself"}},
		"Garmin limits this account": {func(s *site, b *browser) {
			s.garmin.Fail(garmintest.OpProfile, garmintest.ClientLimited(429, 0), 1)
			b.post("/link/validate").want(http.StatusTooManyRequests)
		}, []string{"On Garmin’s side", "Garmin has asked us for a pause", "You need not do anything.", "We try again in 14 minutes"}},
		"Garmin refuses": {func(s *site, b *browser) {
			s.garmin.Fail(garmintest.OpProfile, garmintest.Unauthorized, 4)
			b.post("/link/validate").want(http.StatusServiceUnavailable)
		}, []string{"On Garmin’s side", "Garmin refuses us at the moment", "Since", "We try again in"}},
		"a program was refused": {func(s *site, b *browser) {
			s.exec("UPDATE garmin_authentication_states SET reported_at = app_now(), reported_outcome = 'unauthorized'")
		}, []string{"A program could not use your link", "A program said last", "Garmin refused it"}},
		"our checks are late": {func(s *site, b *browser) {
			s.db.Advance(s.t, 26*time.Hour)
			b.post("/signin", "email", email, "password", password)
		},
			[]string{"On our side", "Our checks are late", "At any moment"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			b := s.runner()
			b.link("plain").wantRedirect("/link")
			c.harm(s, b)
			p := b.get("/link").want(http.StatusOK).wantText(c.says...)
			if name == "nothing" && strings.Contains(p.text(), "You need not do anything.") {
				t.Error("something is wrong with a link that works")
			}
		})
	}
}
