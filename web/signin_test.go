package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/web"
)

func TestSignInAndOut(t *testing.T) {
	t.Parallel()
	b := newSite(t).browser()
	b.get("/").want(http.StatusOK).wantText("Sign in")
	b.get("/link").wantRedirect("/signin?next=%2Flink")
	b.get("/signin?next=%2Flink").want(http.StatusOK)
	b.post("/signin", "email", " Runner@Example.com ", "password", password).wantRedirect("/link")
	b.get("/").wantRedirect("/link")
	b.get("/signin").wantRedirect("/link")
	b.get("/link").want(http.StatusOK).wantText(email, "Sign out")
	b.post("/signout").wantRedirect("/")
	b.get("/").want(http.StatusOK).wantText("You are signed out.")
	if strings.Contains(b.get("/").text(), "You are signed out.") {
		t.Error("a notice is shown twice")
	}
	b.get("/link").wantRedirect("/signin?next=%2Flink")
	b.post("/link/unlink", "confirm", "yes").wantRedirect("/signin?next=%2Flink%2Funlink")
}

func TestUnknownAndWrongLookTheSame(t *testing.T) {
	t.Parallel()
	b := newSite(t).browser()
	var pages []string
	for _, c := range []struct{ email, password string }{
		{email, "not the password"}, {"walker@example.com", "not the password"}, {"walker@example.com", password},
	} {
		p := b.post("/signin", "email", c.email, "password", c.password).want(http.StatusUnprocessableEntity).
			wantText("Wrong e-mail or password")
		if p.value("/signin", "email") != c.email || p.value("/signin", "password") != "" {
			t.Errorf("the form keeps %q and %q", p.value("/signin", "email"), p.value("/signin", "password"))
		}
		pages = append(pages, strings.ReplaceAll(p.text(), p.reference(), "…"))
	}
	if pages[0] != pages[1] || pages[1] != pages[2] {
		t.Errorf("the answers differ:\n%s", strings.Join(pages, "\n"))
	}
}

func TestSignUp(t *testing.T) {
	t.Parallel()
	b := newSite(t).browser()
	b.get("/signup").want(http.StatusOK)
	for _, c := range []struct{ email, password, says string }{
		{"walker", password, "Type an address such as"},
		{"walker@example.com", "short", "at least 10 characters"},
		{"walker@example.com", "password123", "well-known password"},
		{email, password, "an account with this e-mail address"},
	} {
		p := b.post("/signup", "email", c.email, "password", c.password).want(http.StatusUnprocessableEntity)
		p.wantText(c.says)
		if p.value("/signup", "email") != c.email || p.value("/signup", "password") != "" {
			t.Errorf("the form keeps %q and %q", p.value("/signup", "email"), p.value("/signup", "password"))
		}
	}
	b.post("/signup", "email", "walker@example.com", "password", password).wantRedirect("/link")
	b.get("/link").want(http.StatusOK).wantText("walker@example.com")
	b.get("/signup").wantRedirect("/link")
}

func TestClosedSignUpIsNotThere(t *testing.T) {
	t.Parallel()
	b := newSite(t, func(c *web.Config) { c.SignupOpen = false }).browser()
	b.get("/signup").want(http.StatusNotFound)
	b.post("/signup", "email", "walker@example.com", "password", password).want(http.StatusNotFound)
	for _, path := range []string{"/", "/signin"} {
		if strings.Contains(b.get(path).source, "/signup") {
			t.Errorf("%s leads to the closed door", path)
		}
	}
}

func TestSigningInLeadsBackToPagesOfOursOnly(t *testing.T) {
	t.Parallel()
	b := newSite(t).browser()
	for _, c := range []struct{ next, want string }{
		{"/link/mfa?a=b%2Fc", "/link/mfa?a=b%2Fc"},
		{"https://evil.example/", "/link"},
		{"//evil.example/", "/link"},
	} {
		query := "/signin?next=" + url.QueryEscape(c.next)
		if c.want == c.next {
			if got := b.get(query).value("/signin", "next"); got != c.want {
				t.Errorf("the form asks to go on to %q, want %q", got, c.want)
			}
		}
		b.post("/signin", "email", email, "password", password, "next", c.next).wantRedirect(c.want)
		b.get(query).wantRedirect(c.want)
		b.post("/signout")
	}
}

func TestCookie(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, c := range []struct {
		base, name string
		secure     bool
	}{
		{"http://localhost:8080", "garminlink", false},
		{"https://link.example", "__Host-garminlink", true},
	} {
		server := s.server(func(config *web.Config) { config.BaseURL, _ = url.Parse(c.base) })
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/signin",
			strings.NewReader(url.Values{"email": {email}, "password": {password}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		cookies := w.Result().Cookies()
		if len(cookies) != 1 {
			t.Fatalf("%s: %d cookies", c.base, len(cookies))
		}
		got := cookies[0]
		if got.Name != c.name || got.Secure != c.secure || !got.HttpOnly || got.SameSite != http.SameSiteLaxMode ||
			got.Path != "/" || got.Domain != "" || got.MaxAge < int(account.AbsoluteLimit.Seconds())-5 {
			t.Errorf("%s: the cookie is %s", c.base, got)
		}
		if hsts := w.Header().Get("Strict-Transport-Security"); (hsts != "") != c.secure {
			t.Errorf("%s: Strict-Transport-Security is %q", c.base, hsts)
		}
		var stored int
		if err := s.db.Pool.QueryRow(t.Context(), "SELECT count(*) FROM sessions WHERE token = $1", got.Value).Scan(&stored); err != nil || stored != 0 {
			t.Errorf("%s: the token stands in the database as it is (%d, %v)", c.base, stored, err)
		}
	}
}

func (b *browser) token() *http.Cookie {
	b.t.Helper()
	u, _ := url.Parse(b.url)
	for _, c := range b.client.Jar.Cookies(u) {
		if c.Name == "garminlink" {
			return c
		}
	}
	b.t.Fatal("the browser has no cookie of a sign-in")
	return nil
}

func (b *browser) setToken(value string) {
	u, _ := url.Parse(b.url)
	b.client.Jar.SetCookies(u, []*http.Cookie{{Name: "garminlink", Value: value, Path: "/"}})
}

func TestSigningInRenewsTheToken(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	b.setToken("chosen-by-an-attacker")
	b.post("/signin", "email", email, "password", password).wantRedirect("/link")
	first := b.token().Value
	b.post("/signin", "email", email, "password", password).wantRedirect("/link")
	second := b.token().Value
	if first == "chosen-by-an-attacker" || first == second {
		t.Errorf("the tokens are %s and %s", first, second)
	}
	for _, token := range []string{"chosen-by-an-attacker", first} {
		other := s.browser()
		other.setToken(token)
		other.get("/link").wantRedirect("/signin?next=%2Flink")
	}
	var standing int
	if err := s.db.Pool.QueryRow(t.Context(), "SELECT count(*) FROM sign_ins WHERE ended_at IS NULL").Scan(&standing); err != nil || standing != 1 {
		t.Errorf("%d sign-ins stand, want the last one (%v)", standing, err)
	}
}

// A request that began before the sign-out must not bring the sign-in back,
// whenever it ends.
func TestSignOutHoldsWithARequestInFlight(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	token := b.token().Value
	release := s.garmin.Hold(garmintest.OpLogin)
	answered := make(chan *page, 1)
	go func() { answered <- b.link("plain") }()
	if err := s.garmin.AwaitCalls(context.Background(), garmintest.OpLogin, 1); err != nil {
		t.Fatal(err)
	}
	other := s.browser()
	other.setToken(token)
	other.post("/signout").wantRedirect("/")
	release()
	<-answered
	late := s.browser()
	late.setToken(token)
	late.get("/link").wantRedirect("/signin?next=%2Flink")
	b.get("/link").wantRedirect("/signin?next=%2Flink")
}

// Even a row that scs wrote back is dead: the sign-in decides.
func TestARevivedCookieIsDead(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	token := b.token().Value
	if _, err := s.db.Pool.Exec(t.Context(), "CREATE TABLE kept AS SELECT * FROM sessions"); err != nil {
		t.Fatal(err)
	}
	b.post("/signout").wantRedirect("/")
	if _, err := s.db.Pool.Exec(t.Context(), "INSERT INTO sessions SELECT * FROM kept"); err != nil {
		t.Fatal(err)
	}
	b.setToken(token)
	b.get("/link").wantRedirect("/signin?next=%2Flink")
}

func TestIdleSignInsEndAndPollingIsIdle(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	s.db.Advance(t, account.IdleLimit/2)
	b.get("/link/status").want(http.StatusOK)
	s.db.Advance(t, account.IdleLimit/2)
	b.get("/link/status").want(http.StatusUnauthorized)
}

func TestHTMXIsSentToTheDoorAsAWhole(t *testing.T) {
	t.Parallel()
	b := newSite(t).browser()
	b.header.Set("HX-Request", "true")
	for _, c := range []struct {
		page *page
		door string
	}{
		{b.post("/link/validate"), "/signin"},
		{b.get("/link/status"), ""}, // a poll leaves the page as it is: a form may be half filled in
	} {
		c.page.want(http.StatusUnauthorized)
		if c.page.Header.Get("HX-Redirect") != c.door || c.page.source != "" {
			t.Errorf("%s: %v %s", c.page.request, c.page.Header, c.page.source)
		}
	}
}

func TestFormOfAnotherUsersPageDoesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	b.post("/link", "email", "plain@garmin.example", "password", garmintest.DemoPassword, "region", "garmin.com").wantRedirect("/link")
	b.post("/link/unlink", "confirm", "yes", "as", "0197a3a0-0000-7000-8000-000000000000").wantRedirect("/link")
	b.get("/link").want(http.StatusOK).wantText("Nothing was done", "Active")
	b.header.Set("HX-Request", "true")
	p := b.post("/link/unlink", "confirm", "yes", "as", "0197a3a0-0000-7000-8000-000000000000").want(http.StatusConflict)
	if p.Header.Get("HX-Redirect") != "/link" {
		t.Errorf("htmx is sent to %q", p.Header.Get("HX-Redirect"))
	}
}
