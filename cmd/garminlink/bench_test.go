package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
	"github.com/garminlink/garminlink/internal/seal"
)

// Others than the one who asks: their rows are what a query must not read.
const (
	benchUsers = 100_000
	seedUsers  = `
		INSERT INTO users (id, email, password_hash, role)
		SELECT gen_random_uuid(), 'runner' || n || '@example.com', 'x', 'user' FROM generate_series(1, $1::int) n`
	seedLinks = `
		INSERT INTO garmin_authentication_states (user_id, session_data, last_validated, region, garmin_email,
			garmin_guid, garmin_name, generation, key_id, session_expires_at)
		SELECT id, decode(repeat('ab', 1700), 'hex'), now(), 'garmin.com', email, id, 'Runner',
			nextval('session_generation'), 1, now() + interval '20 hours'
		FROM users`
)

func BenchmarkGetLink(b *testing.B)       { benchmarkPage(b, "/link") }
func BenchmarkGetLinkStatus(b *testing.B) { benchmarkPage(b, "/link/status") }

// benchmarkPage asks as one signed-in user with an active link, over HTTP on
// loopback, among benchUsers others.
func benchmarkPage(b *testing.B, path string) {
	base, client := benchSite(b)
	b.ReportAllocs()
	for b.Loop() {
		response, err := client.Get(base + path)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
			b.Fatal(response.Status, err)
		}
		_ = response.Body.Close()
	}
}

func benchSite(b *testing.B) (base string, client *http.Client) {
	b.Helper()
	db := pgtest.New(b)
	seedBench(b, db)
	server := httptest.NewUnstartedServer(nil)
	base = "http://" + server.Listener.Addr().String()
	accounts := account.New(postgres.NewAccounts(db.DB), passwordCost)
	if _, err := accounts.Create(context.Background(), "bench@example.com", benchPassword, account.RoleUser); err != nil {
		b.Fatal(err)
	}
	server.Config.Handler = benchSiteOf(b, db, benchKeyset(b), base).pages
	server.Start()
	b.Cleanup(server.Close)
	jar, _ := cookiejar.New(nil)
	client = &http.Client{Jar: jar}
	benchPost(b, client, base+"/signin", url.Values{"email": {"bench@example.com"}, "password": {benchPassword}})
	benchPost(b, client, base+"/link", url.Values{
		"email": {"plain@garmin.example"}, "password": {garmintest.DemoPassword}, "region": {garmintest.Global},
	})
	return base, client
}

func seedBench(b *testing.B, db *pgtest.DB) {
	b.Helper()
	for _, seed := range []struct {
		sql  string
		args []any
	}{{seedUsers, []any{benchUsers}}, {seedLinks, nil}, {"ANALYZE", nil}} {
		if _, err := db.Pool.Exec(context.Background(), seed.sql, seed.args...); err != nil {
			b.Fatal(err)
		}
	}
}

const benchPassword = "correct horse battery"

func benchKeyset(b testing.TB) string {
	b.Helper()
	keyset, err := seal.Generate()
	if err != nil {
		b.Fatal(err)
	}
	return string(keyset)
}

// benchSiteOf is the program in this process, with a simulated Garmin.
func benchSiteOf(b testing.TB, db *pgtest.DB, keyset, base string) *site {
	b.Helper()
	ring, err := seal.Parse([]byte(keyset))
	if err != nil {
		b.Fatal(err)
	}
	vault, err := link.OpenVault(context.Background(), postgres.NewLinks(db.DB), ring)
	if err != nil {
		b.Fatal(err)
	}
	address, err := url.Parse(base)
	if err != nil {
		b.Fatal(err)
	}
	simulator := new(garmintest.Server)
	b.Cleanup(simulator.Close)
	site, err := wire(Config{BaseURL: origin{address}, Limits: Limits{TokenRequestsPerMinute: 1_000_000}}, parts{web: true}, surroundings{garmin: simulator.Transport()},
		db.DB, vault, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(site.links.Close)
	return site
}

func benchPost(b testing.TB, client *http.Client, address string, form url.Values) {
	b.Helper()
	response, err := client.PostForm(address, form)
	if err != nil {
		b.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		b.Fatalf("POST %s: %s", address, response.Status)
	}
}
