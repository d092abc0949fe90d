package web_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
	"github.com/garminlink/garminlink/web"
)

// statements collects what is sent to the database, from its log.
type statements struct {
	mu   sync.Mutex
	sent []string
}

func (s *statements) add(sql string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, strings.Join(strings.Fields(sql), " "))
}

func (s *statements) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent := s.sent
	s.sent = nil
	return sent
}

func (s *statements) Enabled(context.Context, slog.Level) bool { return true }
func (s *statements) WithAttrs([]slog.Attr) slog.Handler       { return s }
func (s *statements) WithGroup(string) slog.Handler            { return s }
func (s *statements) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "sql" {
			s.add(a.Value.String())
		}
		return true
	})
	return nil
}

// counted is a second server on the same database, whose statements are
// collected.
func (s *site) counted() (url string, sent *statements) {
	s.t.Helper()
	sent = new(statements)
	db, err := postgres.Open(context.Background(), s.db.URL, pgtest.Schema, slog.New(sent))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = db.Close() })
	server := httptest.NewServer(s.server(func(c *web.Config) {
		c.DB = db.SQL
		c.Accounts = account.New(postgres.NewAccounts(db), account.RealCost)
		c.Links = s.links(postgres.NewLinks(db))
		c.Limits = postgres.NewLimits(db.Gorm)
	}))
	s.t.Cleanup(server.Close)
	return server.URL, sent
}

func TestPagesCostFewStatements(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	runner, stranger := s.runner(), s.browser()
	url, sent := s.counted()
	runner.url, stranger.url = url, url
	wantAtMost := func(most int, b *browser, path string, status int) {
		t.Helper()
		sent.take()
		asked := s.garmin.Calls(garmintest.OpProfile) + s.garmin.Calls(garmintest.OpLogin)
		b.get(path).want(status)
		if got := sent.take(); len(got) > most {
			t.Errorf("GET %s costs %d statements, not %d:\n%s", path, len(got), most, strings.Join(got, "\n"))
		}
		if s.garmin.Calls(garmintest.OpProfile)+s.garmin.Calls(garmintest.OpLogin) != asked {
			t.Errorf("GET %s asks Garmin", path)
		}
	}
	for _, prepare := range []func(){
		func() {},
		func() { runner.link("mfa").want(http.StatusSeeOther) },
		func() { runner.post("/link/mfa", "code", garmintest.DemoCode).want(http.StatusSeeOther) },
		func() { runner.link("plain").want(http.StatusSeeOther) }, // a candidate
		func() { s.db.Advance(t, 2*time.Minute) },                 // a use to be written
	} {
		prepare()
		wantAtMost(3, runner, "/link", http.StatusOK)
		wantAtMost(3, runner, "/link/status", http.StatusOK)
		wantAtMost(3, runner, "/link/handoff", http.StatusOK)
		wantAtMost(2, runner, "/link/handoff?region=garmin.com", http.StatusOK)
		wantAtMost(2, runner, "/link/import", http.StatusOK)
		wantAtMost(4, runner, "/settings", http.StatusOK)
		wantAtMost(4, runner, "/history", http.StatusOK)
		wantAtMost(3, runner, "/history?before=7", http.StatusOK)
	}
	wantAtMost(3, runner, "/link/export", http.StatusOK)
	if len(sent.take()) != 0 {
		t.Error("statements were counted late")
	}
	wantAtMost(2, runner, "/", http.StatusSeeOther)
	wantAtMost(0, runner, "/healthz", http.StatusOK)
	wantAtMost(0, runner, "/nowhere", http.StatusNotFound)
	wantAtMost(1, stranger, "/", http.StatusOK) // looks whether there are users, once
	wantAtMost(0, stranger, "/", http.StatusOK)
	wantAtMost(0, stranger, "/link", http.StatusSeeOther)
	wantAtMost(1, stranger, "/setup", http.StatusOK)
}

// The counter itself must not be blind.
func TestStatementsAreCounted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	runner := s.runner()
	var sent *statements
	runner.url, sent = s.counted()
	sent.take()
	runner.get("/link").want(http.StatusOK)
	got := sent.take()
	if len(got) != 3 || !strings.Contains(got[0], "FROM sessions") || !strings.Contains(got[1], "sign_ins") ||
		!strings.Contains(got[2], "garmin_authentication_states") {
		t.Errorf("GET /link sends\n%s", strings.Join(got, "\n"))
	}
}
