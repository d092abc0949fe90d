package web_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

const staffEmail = "staff@example.com"

// staff is a browser in which somebody of that role is signed in.
func (s *site) staff(role account.Role) *browser {
	s.t.Helper()
	if _, err := s.accounts.Create(context.Background(), staffEmail, password, role); err != nil {
		s.t.Fatal(err)
	}
	b := s.browser()
	b.post("/signin", "email", staffEmail, "password", password).want(http.StatusSeeOther)
	return b
}

// secretOf is what a page shows of a new token.
func (p *page) secretOf() account.Secret {
	p.t.Helper()
	for n := range p.tree().Descendants() {
		if n.Type == html.TextNode && n.Parent.Data == "code" && strings.HasPrefix(n.Data, "glt_") {
			return account.Secret(n.Data)
		}
	}
	p.t.Fatalf("%s shows no secret:\n%s", p.request, p.source)
	return ""
}

func (s *site) tokens() []account.Token {
	s.t.Helper()
	all, err := s.accounts.Tokens(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

func (s *site) authorized(secret account.Secret) bool {
	s.t.Helper()
	_, err := s.accounts.Authorize(context.Background(), secret, account.UserRef{})
	if err != nil && !errors.Is(err, account.ErrTokenUnknown) {
		s.t.Fatal(err)
	}
	return err == nil
}

func TestAdminsMakeAndRevokeTokens(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.staff(account.RoleAdmin)
	form := b.get("/support/tokens").want(http.StatusOK).wantText("There is no token yet.").value("/support/tokens", "attempt")
	ends := time.Now().AddDate(0, 3, 0).UTC().Format(time.DateOnly)
	made := b.post("/support/tokens", "attempt", form, "name", " nightly <sync> ", "scope", "links:read", "expires", ends, "password", password).
		want(http.StatusCreated).wantText("nightly <sync>", "shown only once", "links:read", staffEmail)
	secret := made.secretOf()
	if got := made.Header.Get("Cache-Control"); got != "no-store" || strings.Contains(made.Request.URL.String(), "glt_") {
		t.Errorf("the page with the secret may be kept: %q, %s", got, made.Request.URL)
	}
	all := s.tokens()
	if !s.authorized(secret) || len(all) != 1 || all[0].CreatedBy != staffEmail || all[0].ExpiresAt.Format(time.DateTime) != ends+" 00:00:00" {
		t.Fatalf("made %+v", all)
	}

	b.post("/support/tokens", "attempt", form, "name", "nightly <sync>", "scope", "links:read", "expires", ends, "password", password).
		want(http.StatusConflict).wantText("has been made already", "nightly <sync>") // the page loaded anew
	list := b.get("/support/tokens").want(http.StatusOK).wantText("nightly <sync>", all[0].Prefix, "Revoke", "Expires in ")
	if strings.Contains(list.source, secret.Reveal()) || len(s.tokens()) != 1 {
		t.Error("the secret is shown again, or there is another")
	}

	id := list.value("/support/tokens/revoke", "token")
	b.post("/support/tokens/revoke", "token", id).want(http.StatusUnprocessableEntity)
	if !s.authorized(secret) {
		t.Error("the token was revoked without a yes")
	}
	for range 2 {
		b.post("/support/tokens/revoke", "token", id, "confirm", "yes").wantRedirect("/support/tokens")
		b.get("/support/tokens").wantText("The token is revoked", "Revoked")
	}
	if s.authorized(secret) {
		t.Error("a revoked token works")
	}
	b.get("/support/tokens/revoke").wantRedirect("/support/tokens")
	if log := s.log.String(); strings.Contains(log, secret.Reveal()[12:]) || strings.Count(log, "service token made") != 1 ||
		strings.Count(log, "service token revoked") != 2 || !strings.Contains(log, id) {
		t.Errorf("the log says\n%s", log)
	}
}

func TestHTMXGetsTheSecretAsAPart(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.staff(account.RoleAdmin)
	b.header.Set("HX-Request", "true")
	b.header.Set("HX-Current-URL", s.url+"/support/tokens")
	made := b.post("/support/tokens", "name", "sync", "scope", "links:read", "password", password).want(http.StatusCreated)
	if !s.authorized(made.secretOf()) || strings.Contains(made.source, "<html") || made.Header.Get("HX-Push-Url") != "" {
		t.Errorf("htmx gets\n%s", made.source)
	}
	b.post("/support/tokens/revoke", "token", s.tokens()[0].ID.String(), "confirm", "yes").want(http.StatusOK).wantText("The token is revoked")
}

func TestTokenFormSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.staff(account.RoleAdmin)
	good := []string{"name", "sync", "scope", "links:read", "expires", "", "password", password}
	for _, c := range []struct{ field, value, says string }{
		{"name", " ", "1 to 100 characters"},
		{"name", "a\x1bb", "1 to 100 characters"},
		{"scope", "", "Choose from these"},
		{"scope", "links:all", "Choose from these"},
		{"expires", "2020-01-01", "Choose a day after today"},
		{"expires", time.Now().UTC().Format(time.DateOnly), "Choose a day after today"},
		{"expires", "0001-01-01", "Choose a day after today"}, // Go's zero time
		{"expires", "tomorrow", "Choose a day after today"},
		{"password", "not the password", "not the one for Garmin"},
		{"password", "", "not the one for Garmin"},
	} {
		fields := slices.Clone(good)
		fields[slices.Index(fields, c.field)+1] = c.value
		p := b.post("/support/tokens", fields...).want(http.StatusUnprocessableEntity).wantText("Error: ", c.says)
		if got := p.value("/support/tokens", "name"); c.field != "name" && got != "sync" || p.value("/support/tokens", "password") != "" {
			t.Errorf("%s %q: the form keeps the name %q", c.field, c.value, got)
		}
		if ticked := has(p.choice("links:read"), "checked"); ticked != (c.field != "scope") {
			t.Errorf("%s %q: links:read is ticked: %v", c.field, c.value, ticked)
		}
	}
	s.exec("DELETE FROM rate_limits") // so many tries are too many
	b.post("/support/tokens", "name", "sync", "password", password).want(http.StatusUnprocessableEntity).wantText("Choose at least one")
	for _, id := range []string{"", "glt_", "0195a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"} {
		b.post("/support/tokens/revoke", "token", id, "confirm", "yes").want(http.StatusConflict).wantText("There is no such token")
	}
	if n := len(s.tokens()); n != 0 {
		t.Errorf("%d tokens were made", n)
	}
}

// choice is the box with that value.
func (p *page) choice(value string) *html.Node {
	p.t.Helper()
	for n := range p.tree().Descendants() {
		if n.Data == "input" && attr(n, "value") == value {
			return n
		}
	}
	p.t.Fatalf("%s: no choice %s", p.request, value)
	return nil
}

func TestPasswordsAreNotGuessedByMakingTokens(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.staff(account.RoleAdmin)
	for range 10 {
		b.post("/support/tokens", "name", "sync", "scope", "links:read", "password", "a guess").want(http.StatusUnprocessableEntity)
	}
	b.post("/support/tokens", "name", "sync", "scope", "links:read", "password", password).want(http.StatusTooManyRequests)
}

func TestOnlyAdminsReachTokens(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token, _, err := s.accounts.CreateToken(t.Context(), account.NewToken{Name: "nightly sync", Scopes: account.Scopes()})
	if err != nil {
		t.Fatal(err)
	}
	id := token.ID.String()
	for _, c := range []struct {
		who    string
		b      *browser
		status int
		says   string
	}{
		{"a stranger", s.browser(), http.StatusSeeOther, ""},
		{"a user", s.runner(), http.StatusNotFound, "There is no such page"},
		{"support", s.staff(account.RoleSupport), http.StatusForbidden, "Only admins may do that"},
	} {
		for _, p := range []*page{
			c.b.get("/support/tokens"), c.b.get("/support/tokens/revoke"),
			c.b.post("/support/tokens", "name", "sync", "scope", "links:read", "password", password),
			c.b.post("/support/tokens/revoke", "token", id, "confirm", "yes"),
		} {
			if p.StatusCode != c.status || strings.Contains(p.source, token.Prefix) {
				t.Errorf("%s: %s answers %d", c.who, p.request, p.StatusCode)
			}
			p.wantText(c.says)
		}
		if page := c.b.get("/link"); strings.Contains(page.source, "/support/tokens") {
			t.Errorf("%s is led to the tokens", c.who)
		}
	}
	if all := s.tokens(); len(all) != 1 || !all[0].RevokedAt.IsZero() {
		t.Errorf("left are %+v", all)
	}
	b := s.browser()
	if _, err := s.accounts.Create(t.Context(), "admin@example.com", password, account.RoleAdmin); err != nil {
		t.Fatal(err)
	}
	b.post("/signin", "email", "admin@example.com", "password", password).want(http.StatusSeeOther)
	if page := b.get("/link").want(http.StatusOK); !strings.Contains(page.source, `href="/support/tokens"`) {
		t.Error("no page leads an admin to the tokens")
	}
}

func TestTokensCostOneStatementHoweverMany(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.staff(account.RoleAdmin)
	for range 3 {
		if _, _, err := s.accounts.CreateToken(t.Context(), account.NewToken{Name: "sync", Scopes: account.Scopes()}); err != nil {
			t.Fatal(err)
		}
	}
	var sent *pgtest.Statements
	b.url, sent = s.counted()
	sent.Take()
	b.get("/support/tokens").want(http.StatusOK)
	if got := sent.Take(); len(got) != 4 {
		t.Errorf("GET /support/tokens sends\n%s", strings.Join(got, "\n"))
	}
}

func TestOtherSitesMakeNoTokens(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.staff(account.RoleAdmin)
	b.header.Set("Sec-Fetch-Site", "cross-site")
	b.post("/support/tokens", "name", "sync", "scope", "links:read", "password", password).want(http.StatusForbidden)
	if len(s.tokens()) != 0 {
		t.Error("another site made a token")
	}
}
