package api

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/limit"
)

// example is a request that a route takes, but for its token.
type example struct {
	method, path, body string
	headers            []string
	scope              account.Scope
}

const connectBody = `{"user":"ext:42","return_url":"https://app.example.com/back","state":"9pYc2VtRZ0u4","purpose":"link"}`

// examples has one for every operation of the contract.
func examples(s *site) map[string]example {
	user := "/links/ext:42"
	session := `{"session":` + quoted(s.session("plain")) + `}`
	return map[string]example{
		"listLinks":              {http.MethodGet, "/links?limit=1", "", nil, account.LinksRead},
		"getLink":                {http.MethodGet, user, "", nil, account.LinksRead},
		"deleteLink":             {http.MethodDelete, user, "", nil, account.LinksWrite},
		"putSession":             {http.MethodPut, user + "/session", session, []string{"If-None-Match", "*"}, account.LinksWrite},
		"checkOut":               {http.MethodPost, user + "/checkout", `{"format":"garth"}`, nil, account.SessionsCheckout},
		"report":                 {http.MethodPost, user + "/report", `{"generation":1,"outcome":"ok"}`, nil, account.SessionsCheckout},
		"reportAll":              {http.MethodPost, "/reports", `{"reports":[{"user":"ext:42","generation":1,"outcome":"ok"}]}`, nil, account.SessionsCheckout},
		"createConnectSession":   {http.MethodPost, "/connect-sessions", connectBody, nil, account.ConnectCreate},
		"getConnectSession":      {http.MethodGet, "/connect-sessions/" + uuid.NewString(), "", nil, account.ConnectCreate},
		"completeConnectSession": {http.MethodPost, "/connect-sessions/" + uuid.NewString() + "/complete", `{"code":"x"}`, nil, account.ConnectCreate},
		"listEvents":             {http.MethodGet, "/events", "", nil, account.LinksRead},
	}
}

// Every scope is tried on every route, and opens its own alone.
func TestScopes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	all := examples(s)
	for _, item := range contractOf(t).Paths.Map() {
		for _, operation := range item.Operations() {
			if _, tried := all[operation.OperationID]; !tried {
				t.Errorf("%s is not tried", operation.OperationID)
			}
		}
	}
	for _, scope := range account.Scopes() {
		p := s.program(scope)
		for name, e := range all {
			a := p.do(e.method, e.path, e.body, e.headers...)
			if e.scope == scope {
				if a.StatusCode == http.StatusUnauthorized || a.StatusCode == http.StatusForbidden {
					t.Errorf("%s is closed to %s: %s", name, scope, a.body)
				}
				continue
			}
			problem := a.want(http.StatusForbidden).wantCode(CodeInsufficientScope)
			if problem.Scope == nil || string(*problem.Scope) != string(e.scope) ||
				!strings.Contains(a.Header.Get("WWW-Authenticate"), `scope="`+string(e.scope)+`"`) {
				t.Errorf("%s does not tell %s what is missing: %s", name, scope, a.body)
			}
		}
	}
}

func TestWhoeverLacksAScopeDoesNotLearnWhoExists(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.program(account.ConnectCreate)
	if _, err := s.accounts.EnsureExternal(t.Context(), "42", ""); err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"ext:42", "ext:43", "nonsense", uuid.NewString()} {
		p.get("/links/" + user).wantCode(CodeInsufficientScope)
	}
}

func TestExportNeedsAScopeOfItsOwn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	linked(s, "42", "plain")
	body := `{"format":"garth","refresh_token":true}`
	problem := s.program(account.SessionsCheckout).post("/links/ext:42/checkout", body).want(http.StatusForbidden).wantCode(CodeInsufficientScope)
	if problem.Scope == nil || *problem.Scope != ScopeSessionsExport {
		t.Errorf("the missing scope is %v", problem.Scope)
	}
	s.program(account.SessionsExport).post("/links/ext:42/checkout", body).want(http.StatusForbidden)
	s.program(account.SessionsCheckout, account.SessionsExport).post("/links/ext:42/checkout", body).want(http.StatusOK)
}

func TestOnlyStandingTokensAreTaken(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.program(account.LinksRead)
	secret := p.secret.Reveal()
	for _, authorization := range []string{
		"", "Bearer", "Bearer ", "Bearer nonsense", "Basic " + secret, secret, "Bearer " + secret[:len(secret)-1],
		"Bearer " + strings.ToUpper(secret), "Bearer " + unknownSecret(t),
	} {
		a := p.do(http.MethodGet, "/events", "", "Authorization", authorization).want(http.StatusUnauthorized)
		a.wantCode(CodeUnauthenticated)
		want := `Bearer realm="garminlink"`
		if strings.HasPrefix(authorization, "Bearer ") && authorization != "Bearer " {
			want += `, error="invalid_token"`
		}
		if got := a.Header.Get("WWW-Authenticate"); got != want {
			t.Errorf("%q: WWW-Authenticate is %q", authorization, got)
		}
	}
	p.do(http.MethodGet, "/events", "", "Authorization", "bearer  "+secret).want(http.StatusOK)
}

// unknownSecret is one of another installation.
func unknownSecret(t *testing.T) string {
	t.Helper()
	return newSite(t).program(account.LinksRead).secret.Reveal()
}

func TestTokensEndAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.program(account.LinksRead)
	p.get("/events").want(http.StatusOK)
	all, err := s.accounts.Tokens(t.Context())
	if err == nil {
		err = s.accounts.RevokeToken(t.Context(), all[0].ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	p.get("/events").want(http.StatusUnauthorized)

	_, secret, err := s.accounts.CreateToken(t.Context(), account.NewToken{
		ID: uuid.New(), Name: "short", Scopes: []account.Scope{account.LinksRead}, ExpiresAt: time.Now().Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	p.secret = secret
	p.get("/events").want(http.StatusOK)
	s.db.Advance(t, 2*time.Hour)
	p.get("/events").want(http.StatusUnauthorized)
}

// A browser's cookie opens nothing here, and a token nothing on the pages.
func TestCookiesAndTokensDoNotMix(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if _, err := s.accounts.Create(t.Context(), "runner@example.com", "correct horse battery", account.RoleAdmin); err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	signIn, err := browser.PostForm(s.url+"/signin", url.Values{"email": {"runner@example.com"}, "password": {"correct horse battery"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := signIn.Body.Close(); err != nil || signIn.StatusCode != http.StatusSeeOther || len(signIn.Cookies()) == 0 {
		t.Fatalf("sign-in: %d, %v", signIn.StatusCode, err)
	}
	cookie := signIn.Cookies()[0].String()
	p := s.program(account.Scopes()...)
	for name, e := range examples(s) {
		headers := append(slices.Clone(e.headers), "Authorization", "", "Cookie", cookie)
		if a := p.do(e.method, e.path, e.body, headers...); a.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s is open to a cookie: %d", name, a.StatusCode)
		}
	}
	for _, path := range []string{"/link", "/link/export", "/link/status"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+p.secret.Reveal())
		response, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := response.Body.Close(); err != nil || response.StatusCode == http.StatusOK {
			t.Errorf("GET %s is open to a token: %d", path, response.StatusCode)
		}
	}
}

func TestEachTokenHasItsLimit(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(c *Config) { c.Rate = limit.Rate{Burst: 2, Per: time.Hour} })
	one, other := s.program(account.LinksRead), s.program(account.LinksRead)
	for range 2 {
		one.get("/events").want(http.StatusOK)
	}
	problem := one.get("/events").want(http.StatusTooManyRequests).wantCode(CodeTooManyRequests)
	if *problem.RetryAfter < 60 || *problem.RetryAfter > 3600 {
		t.Errorf("it is told to come back after %d s", *problem.RetryAfter)
	}
	other.get("/events").want(http.StatusOK)
}

func TestGuessersAreLimitedAndOthersAreNot(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.program(account.LinksRead)
	guesser := program{s, "glt_guess"}
	for range failuresByNetwork.Burst {
		guesser.get("/events").want(http.StatusUnauthorized)
	}
	guesser.get("/events").want(http.StatusTooManyRequests)
	p.get("/events").want(http.StatusOK)
}
