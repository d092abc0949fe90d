package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

func TestLinkWithAPassword(t *testing.T) {
	t.Parallel()
	s := serving(t)
	for account, want := range map[string]struct{ name, region string }{
		"plain": {"Pia Plain", "Worldwide"},
		"china": {"Chen Run", "Chinese mainland"},
	} {
		v := s.runner("runner-" + account)
		v.get("/").wantRedirect("/link")
		v.get("/link").want(http.StatusOK).wantState("not_linked").wantHeading("Link your Garmin account")

		page := v.follow(v.link(account).wantRedirect("/link"))
		page.wantNotice("Your Garmin account is linked.").wantState("active").wantHeading("Your Garmin link")
		page.wantText(want.name, account+"@garmin.example")
		page.wantFact("Region", want.region).wantFact("Last validated", "a few seconds ago")
		v.get("/link").wantNotice("") // told once
		v.get("/link/mfa").wantRedirect("/link")
		s.wantState(v.id, "active")
		s.wantEvents(v.id, "login_done: not_linked -> active")
		if name := stored[string](s, `SELECT garmin_name FROM garmin_authentication_states
			WHERE user_id = $1 AND garmin_guid IS NOT NULL AND app_now() - last_validated < interval '1 minute'`, v.id); name != want.name {
			t.Errorf("the row is of %q", name)
		}
	}
}

// The request id of an answer leads support to the history.
func TestHistoryNamesTheRequest(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	done := v.link("plain").wantRedirect("/link")
	if id := stored[string](s, "SELECT request_id FROM link_events WHERE actor = 'user'"); id != done.header.Get("X-Request-Id") {
		t.Errorf("the history names %s, the answer %s", id, done.header.Get("X-Request-Id"))
	}
}

func TestBadFieldsAreNamedAndGarminIsNotAsked(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	const email, password = "plain@garmin.example", "a-password-to-keep"
	for _, c := range []struct{ email, password, region, field, says string }{
		{"", password, garmintest.Global, "email", "e-mail address"},
		{"nobody", password, garmintest.Global, "email", "e-mail address"},
		{email, "", garmintest.Global, "password", "password"},
	} {
		again := v.linkWith(c.email, c.password, c.region).want(http.StatusUnprocessableEntity)
		again.wantFieldError(c.field, c.says).wantState("not_linked")
		if again.value("email") != c.email || again.value("password") != "" {
			t.Errorf("the form holds %q and %q", again.value("email"), again.value("password"))
		}
	}
	for _, region := range []string{"", "garmin.example"} {
		again := v.linkWith(email, password, region).want(http.StatusUnprocessableEntity)
		if says := again.saying(with("id", "garmin-region-error")); says == "" || again.value("email") != email {
			t.Errorf("region %q: the page says %q and keeps %q", region, says, again.value("email"))
		}
	}
	s.wantCalls(garmintest.OpLogin, 0)
	s.wantState(v.id, "not_linked")
}

func TestWrongPasswordChangesNothing(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	for _, email := range []string{"plain@garmin.example", "nobody@garmin.example"} {
		again := v.linkWith(email, "not the password", garmintest.Global).want(http.StatusUnprocessableEntity)
		again.wantProblem("Garmin did not accept this e-mail and password").wantState("not_linked")
		if again.value("email") != email || again.value("password") != "" {
			t.Errorf("the form holds %q and %q", again.value("email"), again.value("password"))
		}
	}
	s.wantState(v.id, "not_linked")
	s.wantEvents(v.id)
	v.follow(v.link("plain")).wantState("active")
}

func TestUnlinkRemovesAllButTheHistory(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	v.link("plain").wantRedirect("/link")
	v.get("/link").wantText("no known way to revoke", "change your password at Garmin")

	v.post("/link/unlink").want(http.StatusUnprocessableEntity)
	v.post("/link/unlink", "confirm", "no").want(http.StatusUnprocessableEntity)
	s.wantState(v.id, "active")

	v.follow(v.post("/link/unlink", "confirm", "yes").wantRedirect("/link")).
		wantNotice("Your Garmin account is no longer linked.").wantState("not_linked")
	v.post("/link/unlink", "confirm", "yes").wantRedirect("/link")
	s.wantState(v.id, "not_linked")
	s.wantEvents(v.id, "login_done: not_linked -> active", "unlinked: active -> not_linked")
	if n := stored[int](s, `SELECT (SELECT count(*) FROM garmin_authentication_states)
		+ (SELECT count(*) FROM garmin_challenges) + (SELECT count(*) FROM garmin_candidates)`); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}

func TestUnlinkWhileACodeIsAwaited(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	form := v.challenge("mfa")
	v.post("/link/unlink", "confirm", "yes").wantRedirect("/link")
	v.code(form, garmintest.DemoCode).want(http.StatusConflict).wantProblem("This code is not awaited any more").wantState("not_linked")
	s.wantCalls(garmintest.OpVerify, 0)
	s.wantEvents(v.id, "code_asked: not_linked -> mfa_pending", "unlinked: mfa_pending -> not_linked")
}

func TestCheckNowProvesTheLink(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	v.link("plain").wantRedirect("/link")
	s.advance(2 * time.Hour)
	v.get("/link").wantFact("Last validated", "2 hours ago")
	v.follow(v.post("/link/validate").wantRedirect("/link")).
		wantText("Garmin confirmed that your link works.").wantFact("Last validated", "a few seconds ago")
	s.wantCalls(garmintest.OpRefresh, 0)

	s.advance(25 * time.Hour) // the access token has run out
	v.follow(v.post("/link/validate").wantRedirect("/link")).
		wantFact("Last validated", "a few seconds ago").wantFact("Access renewed", "a few seconds ago")
	s.wantCalls(garmintest.OpRefresh, 1)
	s.wantEvents(v.id, "login_done: not_linked -> active")
}

func TestCheckNowWhileGarminIsDownChangesNothing(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	v.link("plain").wantRedirect("/link")
	s.garmin.Fail(garmintest.OpProfile, garmintest.ServerError, 0)
	down := v.post("/link/validate").want(http.StatusServiceUnavailable)
	down.wantProblem("Garmin does not answer").wantState("active").wantWait(1, 3600)
	s.wantState(v.id, "active")
	s.garmin.Clear()
	v.post("/link/validate").wantRedirect("/link")
	s.wantEvents(v.id, "login_done: not_linked -> active")
}

func TestRevokedLinkAsksForItsUserAndRelinkRepairsIt(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	v.link("plain").wantRedirect("/link")
	s.garmin.RevokeAccount("plain@garmin.example")

	v.post("/link/validate").want(http.StatusUnprocessableEntity).
		wantProblem("Garmin no longer accepts the link").wantState("reauth_needed")
	page := v.get("/link").wantState("reauth_needed").wantHeading("Sign in to Garmin again")
	page.wantText("Garmin no longer renews our access.", "Pia Plain")
	if page.value("email") != "plain@garmin.example" {
		t.Errorf("the form holds %q", page.value("email"))
	}
	if n := stored[int](s, `SELECT count(*) FROM garmin_authentication_states
		WHERE session_data IS NULL AND previous_session IS NULL AND reason = 'grant_refused'`); n != 1 {
		t.Error("something of the session is left")
	}
	v.follow(v.link("plain").wantRedirect("/link")).wantState("active")
	s.wantEvents(v.id, "login_done: not_linked -> active", "rejected: active -> reauth_needed", "login_done: reauth_needed -> active")
}

func TestCheckNowWithoutALink(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	v.post("/link/validate").want(http.StatusConflict).wantProblem("No Garmin account is linked").wantState("not_linked")
	v.post("/link/cancel").wantRedirect("/link")
	v.post("/link/mfa", "code", garmintest.DemoCode).want(http.StatusConflict)
	v.post("/link/mfa/resend").want(http.StatusConflict)
	v.post("/link/replace", "confirm", "yes").want(http.StatusConflict).wantProblem("This question is not open any more")
	s.wantEvents(v.id)
}
