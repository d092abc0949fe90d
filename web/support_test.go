package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

func (s *site) exec(sql string, args ...any) {
	s.t.Helper()
	if _, err := s.db.Pool.Exec(context.Background(), sql, args...); err != nil {
		s.t.Fatal(err)
	}
}

// guests makes users of a host application who have links.
func (s *site) guests(n int) {
	s.t.Helper()
	s.exec(`INSERT INTO users (id, external_id, role) SELECT gen_random_uuid(), 'guest-' || i, 'user' FROM generate_series(1, $1::int) i`, n)
	s.exec(`INSERT INTO garmin_authentication_states (user_id, session_data, last_validated, updated_at, region, garmin_email, garmin_guid,
			garmin_name, generation, key_id, session_expires_at)
		SELECT id, '', app_now(), app_now(), 'garmin.com', external_id || '@garmin.example', id::text, 'Name of ' || external_id, nextval('session_generation'), 1, app_now()
		FROM users WHERE external_id LIKE 'guest-%'`)
}

// pathOf is the page of a user, as the list links to it.
func (b *browser) pathOf(email string) string {
	b.t.Helper()
	return b.get("/support/links?" + url.Values{"q": {email}}.Encode()).want(http.StatusOK).href(email)
}

// href is where the link with these words leads.
func (p *page) href(words string) string {
	p.t.Helper()
	for n := range p.tree().Descendants() {
		if n.Data != "a" {
			continue
		}
		for said := range n.Descendants() {
			if strings.TrimSpace(said.Data) == words {
				return attr(n, "href")
			}
		}
	}
	p.t.Fatalf("%s: no link %q in\n%s", p.request, words, p.text())
	return ""
}

func TestOnlyStaffReachWhatIsTheirs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	runner, agent := s.runner(), s.staff(account.RoleSupport)
	runner.link("plain").want(http.StatusSeeOther)
	path := agent.pathOf(email)
	for _, c := range []struct {
		who    string
		b      *browser
		status int
	}{{"a stranger", s.browser(), http.StatusSeeOther}, {"a user", runner, http.StatusNotFound}} {
		for _, p := range []*page{
			c.b.get("/support"), c.b.get("/support/links"), c.b.get("/support/links?q=runner"), c.b.get("/support/links.csv"), c.b.get(path),
			c.b.post(path + "/check"), c.b.post(path + "/cancel"), c.b.post(path+"/note", "note", "mine"), c.b.post(path+"/clear", "why", "mine", "confirm", "yes"),
		} {
			if p.StatusCode != c.status {
				t.Errorf("%s: %s answers %d", c.who, p.request, p.StatusCode)
			}
		}
	}
	s.browser().get("/support/counters").want(http.StatusUnauthorized)
	runner.get("/support/counters").want(http.StatusNotFound)
	agent.get("/support/counters").want(http.StatusOK)
	if page := runner.get("/link"); strings.Contains(page.source, "/support") {
		t.Error("a user is led to what is for staff")
	}
	if n := s.count("SELECT count(*) FROM link_events WHERE actor = 'support'"); n != 0 {
		t.Errorf("%d acts of staff by others", n)
	}
}

func (s *site) count(sql string, args ...any) (n int) {
	s.t.Helper()
	if err := s.db.Pool.QueryRow(context.Background(), sql, args...).Scan(&n); err != nil {
		s.t.Fatal(err)
	}
	return n
}

func TestStaffFollowAndHelpAUser(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	runner, agent := s.runner(), s.staff(account.RoleSupport)
	runner.link("plain").want(http.StatusSeeOther)
	path := agent.pathOf(email)
	agent.get(path).want(http.StatusOK).wantText(email, "Active", "Linked, by a sign-in at Garmin", "Sign-in by password", "By: ios", "garmin.com")

	agent.post(path + "/check").wantRedirect(path)
	agent.get(path).wantText("Garmin confirmed that the link works.", "Support had the link checked", "support, "+staffEmail, "Checked with Garmin")
	agent.post(path+"/note", "note", " called <b>me</b> ").wantRedirect(path)
	agent.get(path).wantText("The note was added.", "Note of support", "called <b>me</b>")
	agent.post(path+"/note", "note", "").want(http.StatusUnprocessableEntity).wantText("between one and 1000 characters")
	runner.link("mfa").want(http.StatusSeeOther)
	agent.get(path).wantText("Waiting for a code", "Garmin has sent a code (email")
	agent.post(path + "/cancel").wantRedirect(path)
	agent.get(path).wantText("was cancelled", "A sign-in was given up", "Active")

	agent.post(path+"/clear", "why", "asked for it").want(http.StatusUnprocessableEntity)
	agent.post(path+"/clear", "why", " ", "confirm", "yes").want(http.StatusUnprocessableEntity).wantText("between one and 1000 characters")
	agent.post(path+"/clear", "why", "asked for it", "confirm", "yes").wantRedirect(path)
	agent.get(path).wantText("The session was removed", "Sign-in needed", "Cleared by support", "asked for it")
	runner.get("/history").want(http.StatusOK).wantText("called <b>me</b>", "asked for it") // all of it is his to read
	runner.get("/link").wantText("Our support staff removed the Garmin session")
	agent.post(path + "/check").want(http.StatusUnprocessableEntity).wantText("Garmin no longer accepts the link")
	agent.post("/support/relink", "user", agent.get(path).value("/support/relink", "user")).want(http.StatusCreated).wantText("For " + email)

	agent.get(path + "/clear").wantRedirect(path)
	agent.get("/support/users/nobody").want(http.StatusNotFound)
	agent.get("/support/users/018bcfe5-6c16-7157-a977-9b98ce9edb98").want(http.StatusNotFound)
	agent.post("/support/users/018bcfe5-6c16-7157-a977-9b98ce9edb98/note", "note", "who?").want(http.StatusNotFound)
	if n := s.count("SELECT count(*) FROM link_events WHERE actor = 'support' AND staff_id IS NOT NULL"); n != 5 {
		t.Errorf("%d acts of staff stand in the history", n)
	}
}

func TestFormsOfStaffWorkAsParts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.runner().link("plain").want(http.StatusSeeOther)
	agent := s.staff(account.RoleSupport)
	path := agent.pathOf(email)
	agent.header.Set("HX-Request", "true")
	agent.header.Set("HX-Current-URL", s.url+path)
	p := agent.post(path+"/note", "note", "called").want(http.StatusOK).wantText("The note was added.", "called")
	if strings.Contains(p.source, "<html") || p.Header.Get("HX-Push-Url") != "" {
		t.Errorf("htmx gets\n%s", p.source)
	}
}

// next is the address of the next page; "" on the last.
// A table of many is sent as it is read: its beginning is there while the end
// is not yet written, and a page holds no connection meanwhile.
func TestTheOverviewCountsAndWarns(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	runner, agent := s.runner(), s.staff(account.RoleSupport)
	agent.get("/support").want(http.StatusOK).wantText("Nothing has been counted yet")
	runner.link("plain").want(http.StatusSeeOther)
	links, limits := s.links(postgres.NewLinks(s.db.DB)), postgres.NewLimits(s.db.Gorm)
	if err := links.CountLinks(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := links.SumActivity(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := agent.get("/support").want(http.StatusOK).wantText("Active", "Counted a few seconds ago", "Links by state", "How long Garmin takes", "ios")
	if strings.Contains(p.text(), "Garmin is limiting us") {
		t.Error("there is a banner without a cause")
	}
	if got := agent.get("/support/counters").want(http.StatusOK); strings.Contains(got.source, "<html") || !strings.Contains(got.source, `href="/support/links?state=active">1<`) {
		t.Errorf("counters are\n%s", got.source)
	}
	for _, key := range []string{link.AddressCoolDowns + "garmin.com/sso", link.BreakerCoolDowns + "connectapi.garmin.cn", link.JudgingCoolDown, link.AccountCoolDowns + "ab"} {
		if err := limits.Cool(t.Context(), key, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"/support", "/support/links", agent.pathOf(email)} {
		p := agent.get(path).wantText("Garmin is limiting us, or is down", "sso.garmin.com has asked our address to wait", "connectapi.garmin.cn fails.", "Nobody is asked to sign in again.")
		if n := strings.Count(p.text(), "It ends in"); n != 3 {
			t.Errorf("%s: the banner has %d lines", path, n)
		}
	}
}

func TestPagesForStaffCostFewStatements(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.guests(60)
	runner, agent := s.runner(), s.staff(account.RoleSupport)
	runner.link("plain").want(http.StatusSeeOther)
	path := agent.pathOf(email)
	var sent *pgtest.Statements
	agent.url, sent = s.counted()
	for path, most := range map[string]int{
		"/support": 6, "/support/counters": 3, "/support/links": 5, "/support/links?q=guest": 6, "/support/links.csv": 3, path: 6,
	} {
		sent.Take()
		agent.get(path).want(http.StatusOK)
		if got := sent.Take(); len(got) > most {
			t.Errorf("GET %s costs %d statements, not %d:\n%s", path, len(got), most, strings.Join(got, "\n"))
		}
	}
}

func TestPagesForAdminsCostFewStatements(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admin := s.staff(account.RoleAdmin)
	var sent *pgtest.Statements
	admin.url, sent = s.counted()
	for path, most := range map[string]int{
		"/support/staff": 5, "/support/keys": 6, "/support/tokens": 4, "/support/webhooks": 6, "/support/webhooks?failed=yes": 6,
	} {
		sent.Take()
		admin.get(path).want(http.StatusOK)
		if got := sent.Take(); len(got) > most {
			t.Errorf("GET %s costs %d statements, not %d:\n%s", path, len(got), most, strings.Join(got, "\n"))
		}
	}
}

func TestEveryOccurrenceHasWords(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	agent := s.staff(account.RoleSupport)
	s.guests(1)
	path := agent.pathOf("guest-1")
	for _, e := range link.Events {
		s.exec(`INSERT INTO link_events (user_id, event, from_state, to_state, actor, request_id) SELECT id, $1, 'active', 'active', 'user', 'r' FROM users WHERE external_id = 'guest-1'`, string(e))
	}
	p := agent.get(path).want(http.StatusOK)
	for n := range p.tree().Descendants() {
		if n.Type == html.ElementNode && attr(n, "class") == "what" {
			for _, e := range link.Events {
				if strings.TrimSpace(n.FirstChild.Data) == string(e) {
					t.Errorf("%s has no words", e)
				}
			}
		}
	}
}

func TestNoSecretStandsOnAPageForStaff(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	runner, agent := s.runner(), s.staff(account.RoleSupport)
	runner.link("mfa").want(http.StatusSeeOther)
	path := agent.pathOf(email)
	waiting := agent.get(path).source
	runner.post("/link/mfa", "code", garmintest.DemoCode).want(http.StatusSeeOther)
	text := runner.post("/link/export", "format", "garth", "renewal", "yes", "password", password).want(http.StatusOK).source
	for _, source := range []string{waiting, agent.get(path).source, agent.get("/support/links").source, agent.get("/support/links.csv").source} {
		for _, secret := range []string{garmintest.DemoPassword, garmintest.DemoCode, text[:40], password} {
			if strings.Contains(source, secret) {
				t.Errorf("a page has %q", secret)
			}
		}
	}
}
