package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/account"
)

func TestSignUpIsClosedByDefault(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.stranger()
	v.get("/signup").want(http.StatusNotFound)
	v.post("/signup", "email", "new@example.com", "password", ourPassword).want(http.StatusNotFound)
	for _, path := range []string{"/", "/signin"} {
		if page := v.get(path).want(http.StatusOK); len(page.find(with("href", "/signup"))) > 0 {
			t.Errorf("%s leads to a door that is closed", path)
		}
	}
	if n := stored[int](s, "SELECT count(*) FROM users WHERE external_id IS DISTINCT FROM 'nobody'"); n != 0 {
		t.Errorf("%d users were made", n)
	}
}

func TestSignUpMakesAUserAndSignsIn(t *testing.T) {
	t.Parallel()
	s := serving(t, "SIGNUP=open")
	v := s.stranger()
	v.get("/").want(http.StatusOK).wantHeading("Link your Garmin account")

	for password, says := range map[string]string{
		"short":                    "10",
		"password1234":             "well-known",
		strings.Repeat("long", 40): "128",
	} {
		again := v.post("/signup", "email", "New@example.com", "password", password).want(http.StatusUnprocessableEntity)
		again.wantFieldError("password", says).wantHeading("Create an account")
		if again.value("email") != "New@example.com" || again.value("password") != "" {
			t.Errorf("the form holds %q and %q", again.value("email"), again.value("password"))
		}
	}
	v.post("/signup", "email", "no address", "password", ourPassword).want(http.StatusUnprocessableEntity).wantFieldError("email", "Type an address")

	done := v.post("/signup", "email", "New@example.com", "password", ourPassword).wantRedirect("/link")
	v.follow(done).wantState("not_linked").wantText("new@example.com")
	s.stranger().post("/signup", "email", "new@example.com", "password", ourPassword).
		want(http.StatusUnprocessableEntity).wantFieldError("email", "account")
	if role := stored[string](s, "SELECT role FROM users WHERE email IS NOT NULL"); role != string(account.RoleUser) {
		t.Errorf("the role is %s", role)
	}
}

func TestSignInDoesNotTellWhoHasAnAccount(t *testing.T) {
	t.Parallel()
	s := serving(t)
	s.newUser("known@example.com")
	v := s.stranger()
	wrong := v.post("/signin", "email", "known@example.com", "password", "not-"+ourPassword).want(http.StatusUnprocessableEntity)
	unknown := v.post("/signin", "email", "other@example.com", "password", "not-"+ourPassword).want(http.StatusUnprocessableEntity)
	wrong.wantProblem("Wrong e-mail or password").wantHeading("Sign in")
	if wrong.value("email") != "known@example.com" || wrong.value("password") != "" {
		t.Errorf("the form holds %q and %q", wrong.value("email"), wrong.value("password"))
	}
	unreferred := func(p *page) string { return strings.ReplaceAll(p.text(), p.header.Get("X-Request-Id"), "") }
	if unreferred(wrong) != unreferred(unknown) {
		t.Errorf("the answers differ:\n%s\n%s", wrong.text(), unknown.text())
	}
	if n := stored[int](s, "SELECT count(*) FROM sign_ins"); n != 0 {
		t.Errorf("%d sign-ins were begun", n)
	}
}

func TestSignOutKillsTheCookie(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	thief := s.stranger().with("Cookie", ourCookie+"="+v.cookie())
	thief.get("/link").want(http.StatusOK)

	v.follow(v.post("/signout").wantRedirect("/")).wantNotice("You are signed out.")
	thief.get("/link").wantRedirect("/signin?next=%2Flink")
	thief.post("/link/unlink", "confirm", "yes").wantRedirect("/signin?next=%2Flink%2Funlink")
	if n := stored[int](s, "SELECT count(*) FROM sign_ins WHERE ended_at IS NULL"); n != 0 {
		t.Errorf("%d sign-ins stand", n)
	}
}

// A sign-in that somebody planted in a browser must not become the user's.
func TestSignInChangesTheCookie(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	first := v.cookie()
	v.signIn()
	if v.cookie() == first {
		t.Error("the cookie stayed")
	}
	s.stranger().with("Cookie", ourCookie+"="+first).get("/link").wantRedirect("/signin?next=%2Flink")
}

func TestSignInEndsByItselfAndLeadsBack(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	s.advance(account.IdleLimit - time.Hour)
	v.get("/link").want(http.StatusOK)
	s.advance(account.IdleLimit - time.Hour)
	v.get("/link/status").want(http.StatusOK) // polling is no use
	s.advance(2 * time.Hour)

	door := v.get("/link/mfa").wantRedirect("/signin?next=%2Flink%2Fmfa")
	form := v.follow(door).wantNotice("Your sign-in has ended. Sign in again to go on.")
	if next := form.value("next"); next != "/link/mfa" {
		t.Errorf("the form leads on to %q", next)
	}
	again := v.post("/signin", "email", v.email, "password", "wrong", "next", form.value("next")).want(http.StatusUnprocessableEntity)
	v.post("/signin", "email", v.email, "password", ourPassword, "next", again.value("next")).wantRedirect("/link/mfa")
}

func TestSignInLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.stranger()
	s.newUser("runner@example.com")
	for _, next := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "/\tevil.example", "javascript:alert(1)"} {
		form := v.get("/signin?next=" + url.QueryEscape(next)).want(http.StatusOK)
		for _, n := range form.find() {
			for _, a := range n.Attr { // the choice of a language leads back to this very page
				if strings.Contains(a.Val, next) && a.Val != "/signin?next="+url.QueryEscape(next) {
					t.Errorf("%s of %s is %q", a.Key, n.Data, a.Val)
				}
			}
		}
		v.post("/signin", "email", "runner@example.com", "password", ourPassword, "next", next).wantRedirect("/link")
		v.post("/signout")
	}
}

func TestSignInIsLimited(t *testing.T) {
	t.Parallel()
	s := serving(t)
	s.newUser("runner@example.com")
	try := func(from, email, password string) *page {
		return s.stranger().with(addressHeader, from).post("/signin", "email", email, "password", password)
	}
	for range 10 {
		try("192.0.2.1", "runner@example.com", "wrong").want(http.StatusUnprocessableEntity)
	}
	limited := try("192.0.2.1", "RUNNER@example.com", ourPassword).want(http.StatusTooManyRequests)
	limited.wantProblem("Too many tries").wantHeading("Sign in").wantWait(1, 15*60)
	if limited.value("email") != "RUNNER@example.com" {
		t.Errorf("the form holds %q", limited.value("email"))
	}
	try("198.51.100.7", "runner@example.com", ourPassword).wantRedirect("/link") // strangers shut nobody out
	for i := range 19 {
		try("192.0.2.1", strings.Repeat("x", i+1)+"@example.com", "wrong").want(http.StatusUnprocessableEntity)
	}
	try("192.0.2.1", "other@example.com", "wrong").want(http.StatusTooManyRequests).wantWait(1, 5*60)
	try("192.0.2.2", "other@example.com", "wrong").want(http.StatusUnprocessableEntity)
	s.advance(15 * time.Minute)
	try("192.0.2.1", "runner@example.com", ourPassword).wantRedirect("/link")
}
