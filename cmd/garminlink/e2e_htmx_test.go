package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// wantPart checks that an answer is the content of #main, and what it does to
// the address bar.
func (p *page) wantPart(address string) *page {
	p.t.Helper()
	if strings.Contains(p.source, "<html") || strings.Contains(p.source, "<body") || strings.Contains(p.source, "masthead") {
		p.t.Errorf("%s answers htmx with a document", p.path)
	}
	if len(p.find(tag("title"))) != 1 || len(p.find(tag("h1"))) != 1 {
		p.t.Errorf("%s: the part has no title or no heading:\n%s", p.path, p.source)
	}
	if got := p.header.Get("HX-Push-Url"); got != address {
		p.t.Errorf("%s pushes %q, want %q", p.path, got, address)
	}
	return p
}

func TestFormsAnswerHTMXWithTheirPart(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	onLink, onCode := v.htmx("/link"), v.htmx("/link/mfa")

	onLink.linkWith("mfa@garmin.example", "not the password", garmintest.Global).want(http.StatusUnprocessableEntity).
		wantPart("").wantProblem("Garmin did not accept this e-mail and password")
	form := onLink.link("mfa").want(http.StatusOK).wantPart("/link/mfa").wantState("mfa_pending")
	onCode.code(form, wrongCode).want(http.StatusUnprocessableEntity).wantPart("").wantFieldError("code", "not the right code")
	onCode.code(form, garmintest.DemoCode).want(http.StatusOK).wantPart("/link").
		wantState("active").wantNotice("Your Garmin account is linked.")
	onLink.post("/link/validate").want(http.StatusOK).wantPart("").wantText("Garmin confirmed that your link works.")

	s.garmin.Fail(garmintest.OpProfile, garmintest.AddressLimited(0), 1)
	onLink.post("/link/validate").want(http.StatusTooManyRequests).wantPart("").wantProblem("Garmin asks us to slow down").wantWait(1, 900)
	onLink.post("/link/unlink", "confirm", "yes").want(http.StatusOK).wantPart("").
		wantState("not_linked").wantNotice("Your Garmin account is no longer linked.")
	v.get("/link").wantNotice("") // the part has told it
}

func TestErrorsAnswerHTMXWithTheirPart(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	v.htmx("/link").post("/link/nothing").want(http.StatusNotFound).wantPart("").wantProblem("There is no such page")
	v.post("/link/nothing").want(http.StatusNotFound).wantProblem("There is no such page")
}

func TestStatusPartTellsTheStateAndWhetherItMoved(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	status := v.htmx("/link").get("/link/status?shown=not_linked").want(http.StatusOK).wantState("not_linked")
	if strings.Contains(status.source, "<html") || len(status.find(with("id", "status"))) != 1 {
		t.Errorf("the status is not a part:\n%s", status.source)
	}
	v.link("plain").wantRedirect("/link")
	v.get("/link/status?shown=not_linked").wantState("active").wantText("This changed after the page was loaded.")
	v.get("/link/status?shown=active").wantState("active").wantText("Pia Plain")
	s.wantCalls(garmintest.OpProfile, 1) // polling asks Garmin nothing
}

func TestHTMXIsSentToSignInWhenThatHasEnded(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.stranger()
	answer := v.htmx("/link").post("/link/validate").want(http.StatusUnauthorized)
	if to := answer.header.Get("HX-Redirect"); to != "/signin?next=%2Flink" {
		t.Errorf("htmx is sent to %q", to)
	}
	poll := v.htmx("/link").get("/link/status?shown=active").want(http.StatusUnauthorized)
	if to := poll.header.Get("HX-Redirect"); to != "" {
		t.Errorf("a poll, beside a form half filled in, is sent to %q", to)
	}
}
