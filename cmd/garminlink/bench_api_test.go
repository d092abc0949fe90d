package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

// What a worker asks under load, next to pgbench with the very statements that
// it leads to, in the same run.
func BenchmarkCheckOut(b *testing.B) { benchmarkAPI(b, "POST", "/checkout", `{"format":"garth"}`) }
func BenchmarkReadLink(b *testing.B) { benchmarkAPI(b, "GET", "", "") }

func benchmarkAPI(b *testing.B, method, below, body string) {
	i := newInstallation(b)
	request := fmt.Sprintf("%s /api/v1/links/%s%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		method, i.user, below, i.token.Reveal(), len(body), body)
	statements := i.statements(b, request)
	addr, pid := i.serve(b, fmt.Sprintf("%s&pool_max_conns=%d", i.db.URL, busy))
	askMany(b, addr, request, 20*busy) // connections are made, and statements prepared
	n := max(b.N/(turns*busy), 100) * busy
	used := newProcessors(b, i.db)
	var ours, theirs share
	var each []time.Duration
	b.ResetTimer()
	for range turns {
		program, served, client := used.of(pid), used.postgres(), used.of(os.Getpid())
		b.StartTimer()
		took, some := askMany(b, addr, request, n)
		b.StopTimer()
		ours.add(took, used.of(pid)-program, used.postgres()-served, used.of(os.Getpid())-client)
		each = append(each, some...)
		served, client = used.postgres(), used.ended()
		took = pgbench(b, i.db.URL, statements, n)
		theirs.add(took, 0, used.postgres()-served, used.ended()-client)
	}
	slices.Sort(each)
	b.ReportMetric(each[len(each)/2].Seconds()*1000, "p50-ms")
	b.ReportMetric(each[len(each)*99/100].Seconds()*1000, "p99-ms")
	b.ReportMetric(memory(b, pid), "peak-MB")
	b.ReportMetric(float64(len(statements)), "statements")
	compare(b, ours, theirs, n*turns)
}

// turns is how often the program and pgbench take turns, so that a machine that
// is now slow, now fast is so for both. Each is long enough for what pgbench
// does once, at its start, not to count.
const turns = 4

// share is what one side has used.
type share struct{ took, program, postgres, client time.Duration }

func (s *share) add(took, program, postgres, client time.Duration) {
	s.took += took
	s.program += program
	s.postgres += postgres
	s.client += client
}

func (s *share) processor() time.Duration { return s.program + s.postgres + s.client }

func compare(b *testing.B, ours, theirs share, n int) {
	b.Helper()
	one := func(of time.Duration) float64 { return float64(of.Nanoseconds()) / 1000 / float64(n) }
	b.ReportMetric(one(ours.program), "program-us")
	b.ReportMetric(one(ours.postgres), "postgres-us")
	b.ReportMetric(one(ours.client), "client-us")
	b.ReportMetric(one(theirs.processor()), "pgbench-us")
	b.ReportMetric(100*theirs.processor().Seconds()/ours.processor().Seconds(), "%ofpgbench-by-processor")
	b.ReportMetric(float64(n)/ours.took.Seconds(), "requests/s")
	b.ReportMetric(float64(n)/theirs.took.Seconds(), "pgbench/s")
	b.ReportMetric(100*theirs.took.Seconds()/ours.took.Seconds(), "%ofpgbench")
}

// BenchmarkCheckOutAlone is one at a time, without a network to the program.
func BenchmarkCheckOutAlone(b *testing.B) {
	i := newInstallation(b)
	pages := benchSiteOf(b, i.db, i.keyset, "http://localhost").pages
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest("POST", "/api/v1/links/"+i.user.String()+"/checkout", strings.NewReader(`{"format":"garth"}`))
		r.Header.Set("Authorization", "Bearer "+i.token.Reveal())
		r.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		if pages.ServeHTTP(answer, r); answer.Code != http.StatusOK {
			b.Fatal(answer.Code, answer.Body)
		}
	}
}

// installation has one link that works among benchUsers others, and a token.
type installation struct {
	db     *pgtest.DB
	keyset string
	user   uuid.UUID
	token  account.Secret
}

func newInstallation(b *testing.B) *installation {
	b.Helper()
	ctx := context.Background()
	i := &installation{db: pgtest.New(b)}
	seedBench(b, i.db)
	i.keyset = benchKeyset(b)
	accounts := account.New(postgres.NewAccounts(i.db.DB), passwordCost)
	user, err := accounts.Create(ctx, "bench@example.com", benchPassword, account.RoleUser)
	if err != nil {
		b.Fatal(err)
	}
	i.user = user.ID
	if _, i.token, err = accounts.CreateToken(ctx, account.NewToken{Name: "bench", Scopes: account.Scopes()}); err != nil {
		b.Fatal(err)
	}
	site := benchSiteOf(b, i.db, i.keyset, "http://localhost")
	_, err = site.links.Start(ctx, link.Act{User: i.user, By: link.ByUser}, link.Credentials{
		Email: "plain@garmin.example", Password: garmintest.DemoPassword, Region: garmintest.Global,
	})
	if err != nil {
		b.Fatal(err)
	}
	return i
}

// statements is what one request leads to, once everything is prepared.
func (i *installation) statements(b *testing.B, request string) (literal []string) {
	b.Helper()
	tap := newTap(b, i.db.URL)
	addr, _ := i.serve(b, tap.URL)
	ctx := context.Background()
	db, err := pgx.Connect(ctx, i.db.URL+"&search_path="+pgtest.Schema)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close(ctx) }()
	var sent []sentStatement
	for range 5 { // what the program does of itself meanwhile is not meant
		tap.take()
		if _, err := askOver(addr, request, 1); err != nil {
			b.Fatal(err)
		}
		if took := tap.take(); sent == nil || len(took) < len(sent) {
			sent = took
		}
	}
	for _, s := range sent {
		text, err := s.literal(ctx, db)
		if err != nil {
			b.Fatal(err)
		}
		literal = append(literal, text)
	}
	return literal
}

// serve starts the program, and ends it with the benchmark.
func (i *installation) serve(b *testing.B, database string) (addr string, pid int) {
	b.Helper()
	replica := serveAlone(b, database, i.keyset)
	return replica.addr, replica.cmd.Process.Pid
}
