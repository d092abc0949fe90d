package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
	"github.com/garminlink/garminlink/web"
)

// counted is a second server on the same database, whose statements are
// collected.
func (s *site) counted() (url string, sent *pgtest.Statements) {
	s.t.Helper()
	db, sent := s.db.Counted(s.t)
	server := httptest.NewServer(s.server(func(c *web.Config) {
		c.DB = db.SQL
		c.Accounts = account.New(postgres.NewAccounts(db.DB), account.RealCost)
		c.Links = s.links(postgres.NewLinks(db.DB))
		c.Limits = postgres.NewLimits(db.Gorm)
		c.Webhooks = s.webhooks(postgres.NewWebhooks(db.DB))
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
		sent.Take()
		asked := s.garmin.Calls(garmintest.OpProfile) + s.garmin.Calls(garmintest.OpLogin)
		b.get(path).want(status)
		if got := sent.Take(); len(got) > most {
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
		wantAtMost(4, runner, "/link", http.StatusOK)
		wantAtMost(4, runner, "/link/status", http.StatusOK)
		wantAtMost(3, runner, "/link/prompt", http.StatusOK)
		wantAtMost(3, runner, "/link/handoff", http.StatusOK)
		wantAtMost(3, runner, "/link/handoff?region=garmin.com", http.StatusOK)
		wantAtMost(3, runner, "/link/import", http.StatusOK)
		wantAtMost(4, runner, "/settings", http.StatusOK)
		wantAtMost(5, runner, "/history", http.StatusOK)
		wantAtMost(4, runner, "/history?before=7", http.StatusOK)
	}
	wantAtMost(3, runner, "/link/export", http.StatusOK)
	if len(sent.Take()) != 0 {
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
	var sent *pgtest.Statements
	runner.url, sent = s.counted()
	sent.Take()
	runner.get("/link").want(http.StatusOK)
	got := sent.Take()
	if len(got) != 4 || !strings.Contains(got[0], "FROM sessions") || !strings.Contains(got[1], "sign_ins") ||
		!strings.Contains(got[2], "garmin_authentication_states") || !strings.Contains(got[3], "cool_downs") {
		t.Errorf("GET /link sends\n%s", strings.Join(got, "\n"))
	}
}
