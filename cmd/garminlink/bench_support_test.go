package main

import (
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/dev"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

// benchLinks is how many links staff look at; `-links 1000000` shows the pages at
// the size that they are made for.
var benchLinks = flag.Int("links", 100_000, "how many links the benchmarks of staff's pages look at")

// supportPages are those of staff, and of the list the filters and orders that
// have little to do with each other.
var supportPages = []string{
	"/support", "/support/counters", "/support/jobs", "/support/webhooks", "/support/webhooks?failed=yes", "/support/keys",
	"/support/staff", "/support/tokens", "/link/prompt",
	"/support/links", "/support/links?sort=name", "/support/links?state=reauth_needed", "/support/links?state=reauth_needed&sort=name",
	"/support/links?reason=token_refused&sort=name", "/support/links?reason=cleared_by_support&sort=-validated",
	"/support/links?region=garmin.cn&sort=name", "/support/links?region=garmin.cn&state=active", "/support/links?before=2020-01-01",
	"/support/links?before=yesterday", "/support/links?before=yesterday&sort=name", "/support/links?q=ada", "/support/links?q=ada.berg.1@example.com",
	"/support/links?q=lena&state=reauth_needed&sort=name",
}

func BenchmarkSupportPages(b *testing.B) {
	base, client, user := benchSupport(b)
	yesterday := time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly)
	for _, path := range append(supportPages, "/support/users/"+user) {
		b.Run(path, func(b *testing.B) {
			benchAnswers(b, client, base+strings.ReplaceAll(path, "yesterday", yesterday))
		})
	}
}

// benchAnswers reports the median too, and what one of a hundred takes.
func benchAnswers(b *testing.B, client *http.Client, address string) {
	b.Helper()
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		response, err := client.Get(address)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
			b.Fatal(response.Status, err)
		}
		_ = response.Body.Close()
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2].Seconds()*1000, "p50-ms")
	b.ReportMetric(took[len(took)*99/100].Seconds()*1000, "p99-ms")
}

// benchSupport is a site of many links at which an admin is signed in, and one of
// its users.
func benchSupport(b *testing.B) (base string, client *http.Client, user string) {
	b.Helper()
	ctx, db := context.Background(), pgtest.New(b)
	if err := dev.Seed(ctx, db.DB, *benchLinks); err != nil {
		b.Fatal(err)
	}
	if err := postgres.NewLinks(db.DB).CountLinks(ctx); err != nil {
		b.Fatal(err)
	}
	if err := db.Pool.QueryRow(ctx, "SELECT id FROM users LIMIT 1").Scan(&user); err != nil {
		b.Fatal(err)
	}
	accounts := account.New(postgres.NewAccounts(db.DB), passwordCost)
	if _, err := accounts.Create(ctx, "bench@example.com", benchPassword, account.RoleAdmin); err != nil {
		b.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	base = "http://" + server.Listener.Addr().String()
	server.Config.Handler = benchSiteOf(b, db, benchKeyset(b), base).pages
	server.Start()
	b.Cleanup(server.Close)
	jar, _ := cookiejar.New(nil)
	client = &http.Client{Jar: jar}
	benchPost(b, client, base+"/signin", url.Values{"email": {"bench@example.com"}, "password": {benchPassword}})
	return base, client, user
}

// BenchmarkCountLinks is what the counters of the overview cost, once a minute.
func BenchmarkCountLinks(b *testing.B) {
	db := pgtest.New(b)
	if err := dev.Seed(context.Background(), db.DB, *benchLinks); err != nil {
		b.Fatal(err)
	}
	links := postgres.NewLinks(db.DB)
	for b.Loop() {
		if err := links.CountLinks(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTable is the table of all links, for a spreadsheet. No statement of it
// takes a second.
func BenchmarkTable(b *testing.B) {
	db := pgtest.New(b)
	if err := dev.Seed(context.Background(), db.DB, *benchLinks); err != nil {
		b.Fatal(err)
	}
	replica := serveAlone(b, db.URL+"&statement_timeout=1000", benchKeyset(b))
	accounts := account.New(postgres.NewAccounts(db.DB), passwordCost)
	if _, err := accounts.Create(context.Background(), "bench@example.com", benchPassword, account.RoleAdmin); err != nil {
		b.Fatal(err)
	}
	client := signedIn(b, replica.addr, "bench@example.com", "10.0.0.1")
	before := replica.resident(b)
	for b.Loop() {
		response, err := client.Get("http://" + replica.addr + "/support/links.csv")
		if err != nil {
			b.Fatal(err)
		}
		rows, lines := csv.NewReader(response.Body), 0
		rows.ReuseRecord = true
		for _, err = rows.Read(); err == nil; _, err = rows.Read() {
			lines++
		}
		_ = response.Body.Close()
		if !errors.Is(err, io.EOF) || lines != *benchLinks+1 {
			b.Fatalf("%d lines, %v", lines, err)
		}
	}
	b.ReportMetric(float64(b.N**benchLinks)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(memory(b, replica.cmd.Process.Pid)-before, "peak-MB-more")
}
