package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	v.link("plain").wantRedirect("/link")
	for _, from := range []*visitor{
		v.from("https://evil.example", "cross-site"),
		v.from("https://other.example.com", "same-site"),
		v.from("null", "cross-site"),
		v.from("https://evil.example", ""), // a browser too old for Sec-Fetch-Site
	} {
		for _, path := range append(privateForms, "/signout", "/signin") {
			from.post(path, "confirm", "yes").want(http.StatusForbidden).wantProblem("That came from another site")
		}
	}
	v.from(s.door.URL, "").post("/link/validate").wantRedirect("/link")
	s.wantState(v.id, "active")
}

// privateForms are the routes of forms for those who are signed in.
var privateForms = []string{
	"/link", "/link/mfa", "/link/mfa/resend", "/link/cancel", "/link/replace", "/link/validate", "/link/unlink",
}

// from is the same browser, on a page of the given origin.
func (v *visitor) from(origin, site string) *visitor {
	return v.with("Origin", origin).with("Sec-Fetch-Site", site)
}

func TestChallengeOfAnotherUserIsOutOfReach(t *testing.T) {
	t.Parallel()
	s := serving(t)
	owner, thief := s.runner("owner"), s.runner("thief")
	form := owner.challenge("mfa")
	const gone = "This code is not awaited any more"
	thief.code(form, garmintest.DemoCode).want(http.StatusConflict).wantProblem(gone).wantState("not_linked")
	thief.post("/link/mfa/resend", "challenge", form.value("challenge")).want(http.StatusConflict).wantProblem(gone)

	own := thief.challenge("sms")
	thief.code(form, garmintest.DemoCode).want(http.StatusConflict).wantProblem(gone).wantState("mfa_pending")
	thief.post("/link/mfa/resend", "challenge", form.value("challenge")).want(http.StatusConflict)
	s.wantCalls(garmintest.OpVerify, 0)
	s.wantCalls(garmintest.OpResend, 0)
	owner.get("/link/mfa").wantText("5 attempts left")
	thief.code(own, garmintest.DemoCode).wantRedirect("/link")
	owner.code(form, garmintest.DemoCode).wantRedirect("/link")
}

func TestCandidateOfAnotherUserIsOutOfReach(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v, question := candidate(s)
	thief := s.runner("thief")
	thief.answer(question, "yes").want(http.StatusConflict).wantState("not_linked")
	v.answer(question, "yes").wantRedirect("/link")
}

// Two people who share a browser: the page of the first, still open, must not
// act on the link of the second.
func TestPageOfAnotherUserDoesNothing(t *testing.T) {
	t.Parallel()
	s := serving(t)
	first, second := s.runner("first"), s.runner("second")
	second.link("plain").wantRedirect("/link")
	form := first.get("/link")
	first.post("/signout").wantRedirect("/")

	second.post("/link/unlink", "as", form.value("as"), "confirm", "yes").wantRedirect("/link")
	second.get("/link").wantState("active").wantText("Nothing was done")
	own := second.get("/link")
	second.post("/link/unlink", "as", own.value("as"), "confirm", "yes").wantRedirect("/link")
	s.wantState(second.id, "not_linked")
}

func TestStrangersSeeNothing(t *testing.T) {
	t.Parallel()
	s := serving(t)
	s.runner("runner").link("plain").wantRedirect("/link")
	v := s.stranger()
	v.get("/link").wantRedirect("/signin?next=%2Flink")
	v.get("/link/mfa").wantRedirect("/signin?next=%2Flink%2Fmfa")
	v.get("/link/status").want(http.StatusUnauthorized)
	v.get("/link/changes").want(http.StatusUnauthorized)
	for _, path := range privateForms {
		v.post(path, "confirm", "yes").wantRedirect("/signin?next=" + url.QueryEscape(path))
	}
	s.wantCalls(garmintest.OpProfile, 1)
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	nonces := map[string]bool{}
	for _, answer := range []*page{
		v.get("/link"), v.get("/nothing"), v.link("plain"), v.get("/link"), v.get("/link/status"), s.stranger().get("/"), s.stranger().get("/signin"),
	} {
		for key, want := range map[string]string{
			"Cache-Control":             "no-store",
			"X-Content-Type-Options":    "nosniff",
			"Strict-Transport-Security": "max-age=63072000",
			"X-Frame-Options":           "DENY",
		} {
			if got := answer.header.Get(key); got != want {
				t.Errorf("%s has %s %q, want %q", answer.path, key, got, want)
			}
		}
		policy := answer.header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'nonce-", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s has the policy %q without %s", answer.path, policy, want)
			}
		}
		if strings.Contains(policy, "unsafe") || nonces[policy] {
			t.Errorf("%s has the policy %q", answer.path, policy)
		}
		nonces[policy] = true
	}
}

func TestCookiesAreForThisSiteAlone(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.stranger()
	s.newUser("runner@example.com")
	if got := v.get("/signin").header.Values("Set-Cookie"); len(got) != 0 {
		t.Errorf("who has not signed in gets %q", got)
	}
	for _, cookie := range v.post("/signin", "email", "runner@example.com", "password", ourPassword).header.Values("Set-Cookie") {
		for _, want := range []string{"__Host-", "; Path=/", "; HttpOnly", "; Secure", "; SameSite=Lax"} {
			if !strings.Contains(cookie, want) {
				t.Errorf("%s has no %s", cookie, want)
			}
		}
		if strings.Contains(cookie, "Domain") {
			t.Errorf("%s names a domain", cookie)
		}
	}
}

func TestFormsAreLimitedInSize(t *testing.T) {
	t.Parallel()
	s := serving(t)
	s.runner("runner").post("/link", "email", strings.Repeat("x", 300_000)).
		want(http.StatusRequestEntityTooLarge).wantProblem("That was too much")
}
