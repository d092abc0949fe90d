package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// reference is what a page tells its user to give to support.
func (p *page) reference() string {
	p.t.Helper()
	_, after, found := strings.Cut(p.text(), "Reference for support: ")
	if !found || len(after) < 36 {
		p.t.Fatalf("%s: no reference in\n%s", p.request, p.text())
	}
	return after[:36]
}

func TestSupportFindsAUserByHisReference(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.guests(3)
	runner, agent := s.runner(), s.staff(account.RoleSupport)
	s.garmin.Fail(garmintest.OpLogin, garmintest.UnknownType, 1)
	asked := runner.link("plain").want(http.StatusUnprocessableEntity).reference() // before there is a link
	s.exec("ALTER TABLE garmin_candidates RENAME TO gone")
	broken := runner.get("/link").want(http.StatusInternalServerError).reference() // and nobody was asked
	s.exec("ALTER TABLE gone RENAME TO garmin_candidates")
	for reference, says := range map[string]string{asked: "POST /link, status 422", strings.ToUpper(broken): "GET /link, status 500"} {
		found := agent.get("/support/links?q=" + reference).want(http.StatusOK).wantText(email)
		if strings.Contains(found.source, "guest-") {
			t.Errorf("%s finds others too", reference)
		}
		agent.get(found.href(email)).want(http.StatusOK).wantText("A page told of a failure", says, strings.ToLower(reference))
	}
	runner.link("plain").want(http.StatusSeeOther)
	linked := s.text("SELECT request_id FROM link_events")
	agent.get("/support/links?q=" + linked).want(http.StatusOK).wantText(email)
	agent.get("/support/links?q=018bcfe5-6c16-7157-a977-9b98ce9edb98").want(http.StatusOK).wantText("Nobody was found.")
	if n := s.count("SELECT count(*) FROM link_activity WHERE what = 'refused'"); n != 2 {
		t.Errorf("%d failures are on record", n)
	}
	runner.get("/nothing").want(http.StatusNotFound) // his own mistakes are not
	if n := s.count("SELECT count(*) FROM link_activity WHERE what = 'refused'"); n != 2 {
		t.Errorf("%d failures are on record", n)
	}
}

func (s *site) text(sql string) (text string) {
	s.t.Helper()
	if err := s.db.Pool.QueryRow(s.t.Context(), sql).Scan(&text); err != nil {
		s.t.Fatal(err)
	}
	return text
}
