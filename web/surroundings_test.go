package web_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/garminlink/garminlink/web"
)

func TestHeaders(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	for _, p := range []*page{
		s.browser().get("/"), s.browser().get("/signin"), s.browser().get("/nowhere"), s.browser().get("/link"),
		b.get("/link"), b.get("/link/status"), b.get("/link/handoff"), b.get("/link/import"), b.post("/link/ticket"), b.get("/healthz"), b.post("/link", "email", "x"), b.do(http.MethodDelete, "/link", nil),
	} {
		for name, want := range map[string]string{
			"Cache-Control":                "no-store",
			"X-Content-Type-Options":       "nosniff",
			"X-Frame-Options":              "DENY",
			"Referrer-Policy":              "same-origin",
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := p.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", p.request, name, got, want)
			}
		}
		if p.Header.Get("Permissions-Policy") == "" || p.Header.Get("X-Request-Id") == "" {
			t.Errorf("%s: headers are missing in %v", p.request, p.Header)
		}
	}
}

func TestProgramsGetTheHeadersThatConcernThem(t *testing.T) {
	t.Parallel()
	p := newSite(t).browser().get("/api/v1/links")
	for name, want := range map[string]string{
		"Cache-Control":           "no-store",
		"X-Content-Type-Options":  "nosniff",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
		"Permissions-Policy":      "",
	} {
		if got := p.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

var scriptNonce = regexp.MustCompile(`script-src 'nonce-([A-Z2-7]{26})'$`)

func TestContentPolicy(t *testing.T) {
	t.Parallel()
	b := newSite(t).runner()
	seen := map[string]bool{}
	for range 3 {
		p := b.get("/link")
		policy := p.Header.Get("Content-Security-Policy")
		match := scriptNonce.FindStringSubmatch(policy)
		if match == nil {
			t.Fatalf("the policy is %s", policy)
		}
		for _, want := range []string{"default-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"} {
			if !slices.Contains(strings.Split(policy, "; "), want) {
				t.Errorf("no %s in %s", want, policy)
			}
		}
		if strings.Contains(policy, "unsafe") || seen[match[1]] {
			t.Errorf("the policy is weak: %s", policy)
		}
		seen[match[1]] = true
		if !strings.Contains(p.source, `nonce="`+match[1]+`"`) {
			t.Error("the page does not carry the nonce of its policy")
		}
	}
}

func TestStaticFilesAreKept(t *testing.T) {
	t.Parallel()
	b := newSite(t).browser()
	path := regexp.MustCompile(`/static/app\.[0-9a-f]+\.css`).FindString(b.get("/").source)
	p := b.get(path).want(http.StatusOK)
	if got := p.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
		t.Errorf("Cache-Control is %q", got)
	}
	if len(p.Cookies()) > 0 {
		t.Errorf("a static file sets cookies: %v", p.Cookies())
	}
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, c := range []struct {
		name   string
		header map[string]string
		want   int
	}{
		{"another site", map[string]string{"Sec-Fetch-Site": "cross-site"}, http.StatusForbidden},
		{"a neighbour", map[string]string{"Sec-Fetch-Site": "same-site"}, http.StatusForbidden},
		{"an old browser elsewhere", map[string]string{"Origin": "https://evil.example"}, http.StatusForbidden},
		{"nowhere", map[string]string{"Origin": "null"}, http.StatusForbidden},
		{"a form of ours", map[string]string{"Sec-Fetch-Site": "same-origin"}, http.StatusSeeOther},
		{"an old browser here", map[string]string{"Origin": s.url}, http.StatusSeeOther},
		{"a program", nil, http.StatusSeeOther},
	} {
		b := s.browser()
		for name, value := range c.header {
			b.header.Set(name, value)
		}
		p := b.post("/signin", "email", email, "password", password)
		if p.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", c.name, p.StatusCode, c.want)
		}
		if c.want == http.StatusForbidden {
			p.wantText("came from another site")
		}
	}
}

// Behind a proxy, Host may be another name than the one in the browser.
func TestFormsOfTheBaseURLAreTaken(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	server := s.server(func(c *web.Config) { c.BaseURL, _ = url.Parse("https://link.example") })
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://10.0.0.7:8080/signout", nil)
	r.Header.Set("Origin", "https://link.example")
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	if w.Code != http.StatusSeeOther {
		t.Errorf("%d, want 303", w.Code)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	b := newSite(t).browser()
	b.do(http.MethodPost, "/signin", bytes.NewReader(bytes.Repeat([]byte("a"), 257<<10))).
		want(http.StatusRequestEntityTooLarge).wantText("larger than any form")
	b.do(http.MethodPost, "/signin", strings.NewReader("password=%zz&secret-typed")).want(http.StatusBadRequest)
	b.post("/signin", "email", email, "password", password).want(http.StatusSeeOther)
}

func TestUnknownPathsAndMethods(t *testing.T) {
	t.Parallel()
	b := newSite(t).browser()
	b.get("/nowhere").want(http.StatusNotFound).wantText("There is no such page")
	b.get("/link/nowhere").want(http.StatusNotFound)
	p := b.do(http.MethodPut, "/signin", nil).want(http.StatusMethodNotAllowed)
	if got := p.Header.Get("Allow"); !strings.Contains(got, "POST") {
		t.Errorf("Allow is %q", got)
	}
	head := b.do(http.MethodHead, "/signin", nil).want(http.StatusOK)
	if head.source != "" || head.ContentLength <= 0 {
		t.Errorf("HEAD: %d bytes announced, %d sent", head.ContentLength, len(head.source))
	}
}

func TestAPanicIsAPageOfOurs(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *web.Config) { c.Ready = func(context.Context) error { panic("out of breath") } })
	p := s.browser().get("/readyz").want(http.StatusInternalServerError).wantText("Something broke on our side")
	id := p.Header.Get("X-Request-Id")
	p.wantText(id)
	if log := s.log.String(); !strings.Contains(log, "out of breath") || !strings.Contains(log, id) {
		t.Errorf("the log does not tell:\n%s", log)
	}
}

func TestOurFaultsHaveAReferenceAndNoDetails(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	if _, err := s.db.Pool.Exec(t.Context(), "DROP TABLE garmin_authentication_states CASCADE"); err != nil {
		t.Fatal(err)
	}
	p := b.get("/link").want(http.StatusInternalServerError)
	p.wantText("Something broke on our side", p.Header.Get("X-Request-Id"))
	if strings.Contains(p.source, "garmin_authentication_states") {
		t.Error("the page shows the cause")
	}
	if !strings.Contains(s.log.String(), "garmin_authentication_states") {
		t.Error("the log does not show the cause")
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	b := newSite(t, func(c *web.Config) {
		c.Ready = func(context.Context) error { return errors.New("the secret name of the database") }
	}).browser()
	b.get("/healthz").want(http.StatusOK)
	if p := b.get("/readyz").want(http.StatusServiceUnavailable); strings.Contains(p.source, "secret") {
		t.Errorf("the public is told why: %s", p.source)
	}
}

// Neither what was typed nor where somebody went stands in the log, and the
// metrics know patterns only.
func TestTheLogKeepsSecrets(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var observed []string
	s := newSite(t, func(c *web.Config) {
		c.Observe = func(method, route string, status int, _ time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			observed = append(observed, fmt.Sprintf("%s %s %d", method, route, status))
		}
	})
	b := s.browser()
	b.header.Set("X-Request-Id", "typed-outside")
	b.header.Set("Referer", "https://typed-outside/")
	b.get("/signin?next=/typed-outside&token=typed-outside")
	b.get("/typed-outside")
	b.get("/static/typed-outside")
	b.do("TYPED-OUTSIDE", "/", nil)
	b.post("/signin", "email", "typed-outside@example.com", "password", "typed-outside")
	b.do(http.MethodPost, "/signin", strings.NewReader("typed-outside=%zz"))
	if log := s.log.String(); strings.Contains(log, "typed-outside") || strings.Contains(log, "TYPED-OUTSIDE") {
		t.Errorf("the log says:\n%s", log)
	}
	mu.Lock()
	defer mu.Unlock()
	want := []string{"GET /signin 200", "GET none 404", "GET /static/* 404", "other / 405", "POST /signin 422", "POST /signin 400"}
	if !slices.Equal(observed, want) {
		t.Errorf("observed %q, want %q", observed, want)
	}
}

func TestSignInsAreLimitedPerNetwork(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *web.Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	try := func(from, who string) *page {
		b := s.browser()
		b.header.Set("X-Forwarded-For", from)
		return b.post("/signin", "email", who, "password", "wrong", "next", "/link/mfa")
	}
	var limited *page
	for i := range 31 {
		// What stands first, the client may have written.
		limited = try(fmt.Sprintf("198.51.100.%d, 2001:db8:1:2:%x::1", i, i), fmt.Sprintf("runner%d@example.com", i))
	}
	limited.want(http.StatusTooManyRequests).wantText("Too many tries", "You can try again in")
	if wait := limited.Header.Get("Retry-After"); wait == "" || wait == "0" {
		t.Errorf("Retry-After is %q", wait)
	}
	if limited.value("/signin", "email") != "runner30@example.com" || limited.value("/signin", "next") != "/link/mfa" {
		t.Error("the form does not keep what was entered")
	}
	try("2001:db8:1:3::1", "elsewhere@example.com").want(http.StatusUnprocessableEntity)
	try("198.51.100.7", "elsewhere@example.com").want(http.StatusUnprocessableEntity)
	s.db.Advance(t, 5*time.Minute)
	try("2001:db8:1:2::1", "elsewhere@example.com").want(http.StatusUnprocessableEntity)
}

func TestSignInsAreLimitedPerEmailAndNetwork(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *web.Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} })
	try := func(i int, who, password string) *page {
		b := s.browser()
		b.header.Set("X-Forwarded-For", fmt.Sprintf("198.51.100.%d", i))
		return b.post("/signin", "email", who, "password", password)
	}
	for range 10 {
		try(1, email, "wrong").want(http.StatusUnprocessableEntity)
	}
	try(1, strings.ToUpper(email)+" ", password).want(http.StatusTooManyRequests)
	try(1, "walker@example.com", "wrong").want(http.StatusUnprocessableEntity)
	try(2, email, password).want(http.StatusSeeOther) // a stranger's tries shut nobody out
	s.db.Advance(t, 15*time.Minute)
	try(1, email, password).want(http.StatusSeeOther)
	var plain int
	if err := s.db.Pool.QueryRow(t.Context(), "SELECT count(*) FROM rate_limits WHERE key LIKE '%@%' OR key LIKE '%198.51%'").Scan(&plain); err != nil || plain != 0 {
		t.Errorf("%d limits show whom they count (%v)", plain, err)
	}
}

func TestSignUpsAreLimited(t *testing.T) {
	t.Parallel()
	b := newSite(t).browser()
	for range 10 {
		b.post("/signup", "email", "walker", "password", password).want(http.StatusUnprocessableEntity)
	}
	p := b.post("/signup", "email", "walker@example.com", "password", password).want(http.StatusTooManyRequests)
	if p.value("/signup", "email") != "walker@example.com" {
		t.Error("the form does not keep what was entered")
	}
}

func TestAProxyThatIsNotTrustedIsNoticedOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	b.get("/")
	if strings.Contains(s.log.String(), "no proxy is trusted") {
		t.Error("a proxy is noticed where there is none")
	}
	b.header.Set("X-Forwarded-For", "198.51.100.7")
	b.get("/")
	b.get("/")
	if n := strings.Count(s.log.String(), "no proxy is trusted"); n != 1 {
		t.Errorf("the warning stands %d times", n)
	}
}
