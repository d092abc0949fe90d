package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

// counted is a second server on the same database, whose statements are
// collected.
func (s *site) counted() (*site, *pgtest.Statements) {
	s.t.Helper()
	db, sent := s.db.Counted(s.t)
	counted := &site{t: s.t, db: db, garmin: s.garmin, keys: s.keys}
	counted.start()
	return counted, sent
}

func TestRequestsCostFewStatements(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	linked(s, "42", "plain")
	p := s.program(account.Scopes()...)
	generation := *p.link("ext:42").Generation
	var sent *pgtest.Statements
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
		sent.Take()
		p.do(c.method, c.path, c.body).want(c.status)
		if got := sent.Take(); len(got) > c.most {
			t.Errorf("%s %s costs %d statements, not %d:\n%s", c.method, c.path, len(got), c.most, strings.Join(got, "\n"))
		}
	}
	sent.Take()
	program{p.site, "glt_guess"}.get("/links").want(http.StatusUnauthorized)
	if got := sent.Take(); len(got) != 1 || strings.Contains(got[0], "service_tokens") {
		t.Errorf("what is no token costs\n%s", strings.Join(got, "\n"))
	}
	if s.garmin.Calls(garmintest.OpProfile)+s.garmin.Calls(garmintest.OpRefresh) != asked {
		t.Error("Garmin was asked")
	}
}
