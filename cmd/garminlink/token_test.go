package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

func TestTokenCreateListRevoke(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	settings := []string{"DATABASE_URL=" + db.URL}
	accounts := account.New(postgres.NewAccounts(db.DB), passwordCost)
	token := func(args ...string) outcome {
		t.Helper()
		got := garminlink(t, "", settings, append([]string{"token"}, args...)...)
		if got.code != exitOK {
			t.Fatalf("token %v: exit code %d: %s", args, got.code, got.stderr)
		}
		return got
	}

	made := token("create", "--name", "nightly sync", "--scope", "links:read,sessions:checkout", "--scope", "links:write", "--expires", "90d")
	secret := account.Secret(strings.TrimSuffix(made.stdout, "\n"))
	grant, err := accounts.Authorize(t.Context(), secret, account.UserRef{})
	if err != nil || len(grant.Scopes) != 3 {
		t.Fatalf("made %+v, %v:\n%s", grant, err, made.stderr)
	}
	found, err := accounts.FindToken(t.Context(), grant.Token.String())
	if err != nil || time.Until(found.ExpiresAt).Round(24*time.Hour) != 90*24*time.Hour {
		t.Fatalf("made %+v, %v:\n%s", found, err, made.stderr)
	}
	if strings.Contains(made.stderr, secret.Reveal()) || !strings.Contains(made.stderr, found.Prefix) {
		t.Errorf("standard error has\n%s", made.stderr)
	}
	endless := token("create", "--name", "host", "--scope", "connect:create")
	if !endless.says("expires: never") {
		t.Errorf("says %s", endless.stderr)
	}

	list := token("list").stdout
	for _, part := range []string{"nightly sync", found.Prefix, "links:read, sessions:checkout, links:write", found.ID.String(), found.ExpiresAt.Format(time.DateOnly), "works"} {
		if !strings.Contains(list, part) {
			t.Errorf("%q is not in\n%s", part, list)
		}
	}
	if strings.Contains(list, secret.Reveal()) || strings.Count(list, "\n") != 3 || strings.Count(list, " never ") != 2 {
		t.Errorf("the list is\n%s", list)
	}

	for _, name := range []string{found.Prefix, found.ID.String()} {
		if got := token("revoke", name); !got.says("nightly sync") {
			t.Errorf("revoke %s says %s", name, got.stdout)
		}
	}
	if _, err := accounts.Authorize(t.Context(), secret, account.UserRef{}); !errors.Is(err, account.ErrTokenUnknown) {
		t.Errorf("a revoked token: %v", err)
	}
	if got := token("list").stdout; strings.Count(got, "revoked") != 1 || strings.Count(got, "works") != 1 {
		t.Errorf("the list is\n%s", got)
	}
	got := garminlink(t, "", settings, "token", "revoke", secret.Reveal())
	if got.code != exitFailure || !got.says("garminlink token list") || got.says(secret.Reveal()) {
		t.Errorf("revoke of a secret: exit code %d: %s", got.code, got.stderr)
	}
}

func TestTokenCommandLines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ args, says string }{
		{"create", `"name", "scope"`},
		{"create --name sync", `"scope"`},
		{"create --name sync --scope links:all", "links:read, sessions:checkout, connect:create, links:write, sessions:export"},
		{"create --name sync --scope ,", "no such scope"},
		{"create --name sync --scope links:read --expires soon", "such as 90d"},
		{"create --name sync --scope links:read --expires 0d", "0d is past"},
		{"create --name sync --scope links:read --expires 2020-01-01", "2020-01-01 is past"},
		{"create --name sync --scope links:read --expires 99999d", "such as 90d"},
		{"create --name sync --scope links:read --expires 2027-02-30", "such as 90d"},
		{"list all", "all"},
		{"revoke", "garminlink token list"},
		{"revoke one two", "garminlink token list"},
	} {
		if got := garminlink(t, "", nil, append([]string{"token"}, strings.Fields(c.args)...)...); got.code != exitUsage || !got.says(c.says) {
			t.Errorf("token %s: exit code %d, want %q: %s", c.args, got.code, c.says, got.stderr)
		}
	}
	got := garminlink(t, "", []string{"DATABASE_URL=" + pgtest.New(t).URL}, "token", "create", "--name", " ", "--scope", "links:read")
	if got.code != exitFailure || !got.says(account.ErrTokenName.Error()) {
		t.Errorf("a token without a name: exit code %d: %s", got.code, got.stderr)
	}
}

func TestParseExpiry(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 13, 14, 15, 16, time.FixedZone("CET", 3600))
	for text, want := range map[string]string{
		"1d":         "2026-11-23T12:14:15Z",
		"90d":        "2027-02-20T12:14:15Z",
		"2026-11-23": "2026-11-23T00:00:00Z",
		"2026-11-22": "", // began before now
		"0d":         "", "-1d": "", "d": "", "1.5d": "", "90": "", "90h": "", "": "", "2027-1-1": "",
	} {
		at, err := parseExpiry(text, now)
		if err != nil && want != "" || err == nil && at.Format(time.RFC3339) != want {
			t.Errorf("parseExpiry(%q) = %v, %v; want %q", text, at, err, want)
		}
	}
}
