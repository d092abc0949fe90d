package web_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/web"
)

// freshSite is a site without a user.
func freshSite(t testing.TB, change ...func(*web.Config)) *site {
	t.Helper()
	s := newSite(t, change...)
	if _, err := s.db.Pool.Exec(context.Background(), "DELETE FROM users"); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) setUpToken() string {
	s.t.Helper()
	token, err := s.accounts.NewSetUpToken(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	return token.Reveal()
}

const adminEmail = "admin@example.com"

func TestFreshInstallationLeadsToItsSetUp(t *testing.T) {
	t.Parallel()
	s := freshSite(t)
	b := s.browser()
	for _, path := range []string{"/", "/signin", "/signup", "/link", "/link/status", "/link/export", "/support/tokens"} {
		b.get(path).wantRedirect("/setup")
	}
	b.post("/signup", "email", email, "password", password).wantRedirect("/setup")
	b.get("/healthz").want(http.StatusOK)
	b.get("/nowhere").want(http.StatusNotFound)
	b.header.Set("HX-Request", "true")
	if got := b.post("/link/validate").want(http.StatusConflict).Header.Get("HX-Redirect"); got != "/setup" {
		t.Errorf("htmx is led to %q", got)
	}
	b.header.Del("HX-Request")

	b.get("/setup").want(http.StatusOK).wantText("garminlink setup-token")
	token := s.setUpToken()
	b.post("/setup", "token", " "+token+"\n", "email", "Admin@example.com ", "password", password).wantRedirect("/link")
	b.get("/link").want(http.StatusOK).wantText("you are its admin", adminEmail)
	b.get("/support/tokens").want(http.StatusOK)

	stranger := s.browser()
	stranger.get("/").want(http.StatusOK)
	stranger.get("/setup").wantRedirect("/")
	again := stranger.post("/setup", "token", token, "email", "other@example.com", "password", password).want(http.StatusConflict).
		wantText("set up already", "Sign in")
	if strings.Contains(again.source, token) || strings.Contains(s.log.String(), token) {
		t.Error("the token is shown or logged")
	}
}

func TestSetUpSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := freshSite(t)
	b, token := s.browser(), s.setUpToken()
	for _, c := range []struct{ token, email, password, says string }{
		{"", adminEmail, password, "Run “garminlink setup-token” again"},
		{token[1:], adminEmail, password, "a newer one was printed"},
		{token, "admin", password, "Type an address"},
		{token, adminEmail, "short", "at least 10 characters"},
	} {
		p := b.post("/setup", "token", c.token, "email", c.email, "password", c.password).want(http.StatusUnprocessableEntity).wantText(c.says)
		if p.value("/setup", "email") != c.email || strings.Contains(p.source, token) || p.value("/setup", "password") != "" {
			t.Errorf("the form of %+v keeps\n%s", c, p.source)
		}
	}
	for range 8 {
		b.post("/setup", "token", "gls_guess", "email", adminEmail, "password", password)
	}
	b.post("/setup", "token", token, "email", adminEmail, "password", password).want(http.StatusTooManyRequests).wantText("Too many tries")
}

// A stranger who signs up first must not keep the owner out.
func TestSignUpsDoNotCloseTheSetUp(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	b.get("/").want(http.StatusOK)
	b.post("/signup", "email", "stranger@example.com", "password", password).wantRedirect("/link")
	owner := s.browser()
	owner.get("/setup").want(http.StatusOK)
	owner.post("/setup", "token", s.setUpToken(), "email", "stranger@example.com", "password", password).
		want(http.StatusUnprocessableEntity).wantText("There is an account with this e-mail")
	owner.post("/setup", "token", s.setUpToken(), "email", adminEmail, "password", password).wantRedirect("/link")
	owner.get("/setup").wantRedirect("/")
}

func TestAnAdminOfTheCommandLineClosesTheSetUp(t *testing.T) {
	t.Parallel()
	s := freshSite(t)
	b, token := s.browser(), s.setUpToken()
	b.get("/setup").want(http.StatusOK)
	if _, err := s.accounts.Create(context.Background(), adminEmail, password, account.RoleAdmin); err != nil {
		t.Fatal(err)
	}
	b.get("/setup").wantRedirect("/")
	b.post("/setup", "token", token, "email", "other@example.com", "password", password).want(http.StatusConflict)
	b.post("/signin", "email", adminEmail, "password", password).wantRedirect("/link")
}

func TestUsersRemovedAfterTheSetUpLeaveThePageToSignIn(t *testing.T) {
	t.Parallel()
	s := freshSite(t)
	if _, err := s.accounts.Create(t.Context(), adminEmail, password, account.RoleAdmin); err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.Pool.Exec(t.Context(), "DELETE FROM users"); err != nil {
		t.Fatal(err)
	}
	b := s.browser()
	b.get("/").wantRedirect("/setup")
	b.get("/setup").wantRedirect("/")
	b.get("/").want(http.StatusOK).wantText("Sign in")
}
