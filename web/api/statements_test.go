package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

// statements collects what is sent to the database, whose log this is.
type statements struct {
	mu   sync.Mutex
	sent []string
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
			s.mu.Lock()
			defer s.mu.Unlock()
			s.sent = append(s.sent, strings.Join(strings.Fields(a.Value.String()), " "))
		}
		return true
	})
	return nil
}

// counted is a second server on the same database, whose statements are
// collected.
func (s *site) counted() (*site, *statements) {
	s.t.Helper()
	sent := new(statements)
	db, err := postgres.Open(s.t.Context(), s.db.URL, pgtest.Schema, slog.New(sent))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = db.Close() })
	counted := &site{t: s.t, db: &pgtest.DB{DB: db, URL: s.db.URL}, garmin: s.garmin, keys: s.keys}
	counted.start()
	return counted, sent
}

func TestRequestsCostFewStatements(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	linked(s, "42", "plain")
	p := s.program(account.Scopes()...)
	generation := *p.link("ext:42").Generation
	var sent *statements
	p.site, sent = s.counted()
	p.get("/events").want(http.StatusOK) // takes the block of the token's limit
	report := fmt.Sprintf(`"generation":%d,"outcome":"ok"}`, generation)
	var others string
	for range 99 {
		others += `{"user":"` + uuid.NewString() + `",` + report + `,`
	}
	asked := s.garmin.Calls(garmintest.OpProfile) + s.garmin.Calls(garmintest.OpRefresh)
	for _, c := range []struct {
		method, path, body string
		status, most       int
	}{
		{http.MethodPost, "/links/ext:42/checkout", `{"format":"garth"}`, http.StatusOK, 2},
		{http.MethodPost, "/links/ext:42/checkout", `{"format":"wrong"}`, http.StatusUnprocessableEntity, 1},
		{http.MethodPost, "/links/ext:42/report", "{" + report, http.StatusOK, 2},
		{http.MethodPost, "/reports", `{"reports":[` + others + `{"user":"ext:42",` + report + `]}`, http.StatusOK, 3},
		{http.MethodGet, "/links/ext:42", "", http.StatusOK, 2},
		{http.MethodGet, "/links?limit=200", "", http.StatusOK, 2},
		{http.MethodGet, "/events", "", http.StatusOK, 2},
		{http.MethodGet, "/nothing", "", http.StatusNotFound, 0},
	} {
		sent.take()
		p.do(c.method, c.path, c.body).want(c.status)
		if got := sent.take(); len(got) > c.most {
			t.Errorf("%s %s costs %d statements, not %d:\n%s", c.method, c.path, len(got), c.most, strings.Join(got, "\n"))
		}
	}
	sent.take()
	program{p.site, "glt_guess"}.get("/links").want(http.StatusUnauthorized)
	if got := sent.take(); len(got) != 1 || strings.Contains(got[0], "service_tokens") {
		t.Errorf("what is no token costs\n%s", strings.Join(got, "\n"))
	}
	if s.garmin.Calls(garmintest.OpProfile)+s.garmin.Calls(garmintest.OpRefresh) != asked {
		t.Error("Garmin was asked")
	}
}
