package account_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/postgres"
)

func createToken(t *testing.T, s *account.Service, n account.NewToken) (account.Token, account.Secret) {
	t.Helper()
	n.Name = "nightly sync"
	if n.Scopes == nil {
		n.Scopes = []account.Scope{account.SessionsCheckout, account.LinksRead}
	}
	token, secret, err := s.CreateToken(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return token, secret
}

func wantAuthorized(t *testing.T, s *account.Service, secret account.Secret, want error) account.Grant {
	t.Helper()
	grant, err := s.Authorize(t.Context(), secret, account.UserRef{})
	if !errors.Is(err, want) || grant.User != uuid.Nil {
		t.Errorf("Authorize: %+v, %v; want %v", grant, err, want)
	}
	return grant
}

func TestTokensAreKeptAsHashes(t *testing.T) {
	t.Parallel()
	s, db := newService(t)
	admin := create(t, s)
	ends := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	token, secret := createToken(t, s, account.NewToken{
		Scopes: []account.Scope{account.SessionsCheckout, account.LinksRead, account.SessionsCheckout}, By: admin.ID, ExpiresAt: ends,
	})
	if token.Name != "nightly sync" || token.CreatedBy != admin.Email || !token.ExpiresAt.Equal(ends) || !token.Live(time.Now()) ||
		!slices.Equal(token.Scopes, []account.Scope{account.LinksRead, account.SessionsCheckout}) {
		t.Errorf("created %+v", token)
	}
	if !strings.HasPrefix(secret.Reveal(), token.Prefix) || len(token.Prefix)*3 > len(secret) {
		t.Errorf("%s shows %s", secret.Reveal(), token.Prefix)
	}
	var row string
	if err := db.Pool.QueryRow(t.Context(), "SELECT row_to_json(t)::text FROM service_tokens t").Scan(&row); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(row, secret.Reveal()[len(token.Prefix):]) {
		t.Errorf("the secret is stored: %s", row)
	}
	if all, err := s.Tokens(t.Context()); err != nil || len(all) != 1 || fmt.Sprint(all[0]) != fmt.Sprint(token) {
		t.Errorf("Tokens = %+v, %v; want %+v", all, err, token)
	}
}

func TestSecretsArePrintedAsRedacted(t *testing.T) {
	t.Parallel()
	s, _ := newService(t)
	_, secret := createToken(t, s, account.NewToken{})
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb, secret)
		fmt.Fprintf(&out, verb, struct{ Secret account.Secret }{secret})
	}
	if err := json.NewEncoder(&out).Encode(map[string]any{"secret": secret}); err != nil {
		t.Fatal(err)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("made", "secret", secret)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("made", "secret", secret)
	if strings.Contains(out.String(), "glt_") || strings.Count(out.String(), "[redacted]") != 2*7+3 {
		t.Errorf("printed as %s", out.String())
	}
}

func TestCreateTokenRefuses(t *testing.T) {
	t.Parallel()
	s, _ := newService(t)
	scopes := []account.Scope{account.LinksRead}
	for _, c := range []struct {
		new  account.NewToken
		want error
	}{
		{account.NewToken{Name: " ", Scopes: scopes}, account.ErrTokenName},
		{account.NewToken{Name: "a\x1b[2J", Scopes: scopes}, account.ErrTokenName},
		{account.NewToken{Name: strings.Repeat("ü", 101), Scopes: scopes}, account.ErrTokenName},
		{account.NewToken{Name: "sync"}, account.ErrTokenScopes},
		{account.NewToken{Name: "sync", Scopes: []account.Scope{account.LinksRead, "links:all"}}, account.ErrUnknownScope},
		{account.NewToken{Name: "sync", Scopes: scopes, ExpiresAt: time.Now().Add(-time.Second)}, account.ErrTokenExpiry},
	} {
		if _, secret, err := s.CreateToken(t.Context(), c.new); !errors.Is(err, c.want) || secret != "" {
			t.Errorf("CreateToken(%+v): %v, want %v", c.new, err, c.want)
		}
	}
	_, err := account.ParseScope("links:all")
	for _, scope := range account.Scopes() {
		if err == nil || !strings.Contains(err.Error(), string(scope)) {
			t.Errorf("the error of an unknown scope does not name %s: %v", scope, err)
		}
	}
	if all, err := s.Tokens(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("Tokens = %+v, %v", all, err)
	}
}

// Sent twice, a form makes one token, whose secret is told once.
func TestAFormMakesOneToken(t *testing.T) {
	t.Parallel()
	s, _ := newService(t)
	form := uuid.Must(uuid.NewV7())
	token, secret := createToken(t, s, account.NewToken{ID: form})
	again, _, err := s.CreateToken(t.Context(), account.NewToken{ID: form, Name: "again", Scopes: account.Scopes()})
	if !errors.Is(err, account.ErrTokenExists) || token.ID != form {
		t.Errorf("CreateToken = %+v, %v", again, err)
	}
	if got := wantAuthorized(t, s, secret, nil); got.Token != form || !got.Allows(account.LinksRead) || got.Allows(account.LinksWrite) {
		t.Errorf("the token is now %+v", got)
	}
}

func TestAuthorizeKnowsATokenFromOthers(t *testing.T) {
	t.Parallel()
	s, _ := newService(t)
	token, secret := createToken(t, s, account.NewToken{})
	_, other := createToken(t, s, account.NewToken{Scopes: []account.Scope{account.LinksWrite}})
	got := wantAuthorized(t, s, secret, nil)
	if got.Token != token.ID || !got.Allows(account.LinksRead) || got.Allows(account.LinksWrite) {
		t.Errorf("authorized as %+v, want %+v", got, token)
	}
	if got := wantAuthorized(t, s, other, nil); !got.Allows(account.LinksWrite) || got.Allows(account.LinksRead) {
		t.Errorf("authorized as %+v", got)
	}
}

// A mistyped secret is refused without asking the database.
func TestAuthorizeTellsMistypedTokensFromUnknown(t *testing.T) {
	t.Parallel()
	s, _ := newService(t)
	elsewhere, _ := newService(t)
	_, unknown := createToken(t, elsewhere, account.NewToken{})
	_, mine := createToken(t, s, account.NewToken{})
	wantAuthorized(t, s, unknown, account.ErrTokenUnknown)
	if _, err := s.Authorize(t.Context(), unknown, account.UserRef{}); errors.Is(err, account.ErrTokenGarbled) {
		t.Errorf("a well-formed secret is called garbled: %v", err)
	}
	offline := account.New(nil, cheap)
	text := mine.Reveal()
	swapped := []byte(text)
	swapped[20], swapped[21] = 'a', 'b'
	for _, garbled := range []string{
		"", "glt_", text[:len(text)-1], text + "a", strings.ToUpper(text), "sk_" + text[3:], string(swapped),
		text[:30] + "\n" + text[31:], text[:30] + "\r\n\r\n" + text[34:], strings.Repeat("x", 1<<20),
	} {
		if _, err := offline.Authorize(t.Context(), account.Secret(garbled), account.UserRef{}); !errors.Is(err, account.ErrTokenGarbled) || !errors.Is(err, account.ErrTokenUnknown) {
			t.Errorf("Authorize(%.60q): %v", garbled, err)
		}
	}
}

func TestTokensExpireByTheDatabasesClock(t *testing.T) {
	t.Parallel()
	s, db := newService(t)
	_, secret := createToken(t, s, account.NewToken{ExpiresAt: time.Now().Add(time.Hour)})
	_, endless := createToken(t, s, account.NewToken{})
	db.Advance(t, 59*time.Minute)
	wantAuthorized(t, s, secret, nil)
	db.Advance(t, 2*time.Minute)
	wantAuthorized(t, s, secret, account.ErrTokenUnknown)
	db.Advance(t, 1000*24*time.Hour)
	wantAuthorized(t, s, endless, nil)
	_, _, err := s.CreateToken(t.Context(), account.NewToken{
		Name: "late", Scopes: account.Scopes(), ExpiresAt: time.Now().Add(time.Hour), // past, there
	})
	if !errors.Is(err, account.ErrTokenExpiry) {
		t.Errorf("CreateToken = %v", err)
	}
}

func TestRevokedTokensEndAtOnce(t *testing.T) {
	t.Parallel()
	s, _ := newService(t)
	token, secret := createToken(t, s, account.NewToken{})
	_, other := createToken(t, s, account.NewToken{})
	wantAuthorized(t, s, secret, nil)
	var revokedAt time.Time
	for range 2 {
		if err := s.RevokeToken(t.Context(), token.ID); err != nil {
			t.Fatal(err)
		}
		wantAuthorized(t, s, secret, account.ErrTokenUnknown)
		found, err := s.FindToken(t.Context(), token.Prefix)
		if err != nil || found.RevokedAt.IsZero() || found.Live(time.Now()) {
			t.Fatalf("revoked is %+v, %v", found, err)
		}
		if !revokedAt.IsZero() && !found.RevokedAt.Equal(revokedAt) {
			t.Error("revoking twice moves the time")
		}
		revokedAt = found.RevokedAt
	}
	wantAuthorized(t, s, other, nil)
	if err := s.RevokeToken(t.Context(), uuid.Must(uuid.NewV7())); !errors.Is(err, account.ErrTokenNotFound) {
		t.Errorf("RevokeToken = %v", err)
	}
}

func TestFindToken(t *testing.T) {
	t.Parallel()
	s, _ := newService(t)
	token, secret := createToken(t, s, account.NewToken{})
	createToken(t, s, account.NewToken{})
	for _, name := range []string{token.Prefix, token.ID.String(), strings.ToUpper(token.ID.String())} {
		if found, err := s.FindToken(t.Context(), name); err != nil || found.ID != token.ID {
			t.Errorf("FindToken(%s) = %+v, %v", name, found, err)
		}
	}
	for _, name := range []string{"", "glt_", token.Name, secret.Reveal()} {
		if _, err := s.FindToken(t.Context(), name); !errors.Is(err, account.ErrTokenNotFound) {
			t.Errorf("FindToken(%q): %v", name, err)
		}
	}
}

func TestLastUseIsWrittenAtMostOnceAMinute(t *testing.T) {
	t.Parallel()
	s, db := newService(t)
	token, secret := createToken(t, s, account.NewToken{})
	used := func() time.Time {
		t.Helper()
		found, err := s.FindToken(t.Context(), token.Prefix)
		if err != nil {
			t.Fatal(err)
		}
		return found.LastUsedAt
	}
	if !used().IsZero() {
		t.Error("a new token was used")
	}
	wantAuthorized(t, s, secret, nil)
	first := used()
	if first.IsZero() {
		t.Fatal("the first use was not written")
	}
	db.Advance(t, 30*time.Second)
	wantAuthorized(t, s, secret, nil)
	if !used().Equal(first) {
		t.Error("a use within the same minute was written")
	}
	db.Advance(t, 40*time.Second)
	wantAuthorized(t, s, secret, nil)
	if !used().After(first) {
		t.Error("a use was not written")
	}
}

// One that holds the row, such as a revocation under way, keeps nobody waiting.
func TestNotingAUseWaitsForNobody(t *testing.T) {
	t.Parallel()
	s, db := newService(t)
	_, secret := createToken(t, s, account.NewToken{})
	tx, err := db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if _, err := tx.Exec(t.Context(), "SELECT FROM service_tokens FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	wantAuthorized(t, s, secret, nil)
}

func TestAuthorizeIsOneStatement(t *testing.T) {
	t.Parallel()
	s, db := newService(t)
	_, secret := createToken(t, s, account.NewToken{})
	user, err := s.EnsureExternal(t.Context(), "42", "")
	if err != nil {
		t.Fatal(err)
	}
	logged, sent := db.Counted(t)
	counted := account.New(postgres.NewAccounts(logged.DB), cheap)
	for _, ref := range []string{"ext:42", user.ID.String(), "ext:nobody"} {
		parsed, err := account.ParseUserRef(ref)
		if err != nil {
			t.Fatal(err)
		}
		sent.Take()
		grant, err := counted.Authorize(t.Context(), secret, parsed)
		if got := sent.Take(); len(got) != 1 || !strings.Contains(got[0], "service_tokens") {
			t.Errorf("Authorize with %s sends %d statements: %v", ref, len(got), got)
		}
		if (grant.User == user.ID) != (err == nil) {
			t.Errorf("Authorize with %s: %+v, %v", ref, grant, err)
		}
	}
}
