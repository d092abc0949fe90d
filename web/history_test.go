package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"golang.org/x/net/html"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/link"
)

// happens writes lines of a user's history.
func (s *site) happens(user uuid.UUID, n int, event link.Event, by link.Actor) {
	s.t.Helper()
	s.exec(`INSERT INTO link_events (user_id, event, from_state, to_state, actor, request_id)
		SELECT $1, $2, 'active', 'active', $3, 'req' FROM generate_series(1, $4)`, user, event, by, n)
}

// linked is where a link with this text leads; "" if there is none.
func (p *page) linked(text string) string {
	p.t.Helper()
	for n := range p.tree().Descendants() {
		if n.Type == html.TextNode && n.Parent.Data == "a" && strings.TrimSpace(n.Data) == text {
			return attr(n.Parent, "href")
		}
	}
	return ""
}

func TestHistoryInPlainWords(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	b.get("/history").want(http.StatusOK).wantText("Nothing has happened yet", "No program has taken your session out")
	b.link("mfa").want(http.StatusSeeOther)
	b.post("/link/cancel").want(http.StatusSeeOther)
	b.link("plain").want(http.StatusSeeOther)
	b.post("/link/unlink", "confirm", "yes").want(http.StatusSeeOther)
	text := b.get("/history").want(http.StatusOK).text()
	at := -1
	for _, said := range []string{"You removed the link.", "the account was linked.", "You gave up a sign-in", "asked for a code."} {
		next := strings.Index(text, said)
		if next <= at {
			t.Errorf("%q is not in its place in\n%s", said, text)
		}
		at = next
	}
	s.browser().get("/history").wantRedirect("/signin?next=%2Fhistory")
}

func TestHistorySaysWhoAndWhy(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b, user := s.runner(), s.userID(email)
	token, _, err := s.accounts.CreateToken(t.Context(), account.NewToken{Name: "nightly <sync>", Scopes: account.Scopes()})
	if err != nil {
		t.Fatal(err)
	}
	staff := uuid.Must(uuid.NewV7())
	s.exec("INSERT INTO users (id, email, password_hash, role) VALUES ($1, 'agent@example.com', 'x', 'support')", staff)
	s.exec(`INSERT INTO link_events (user_id, event, from_state, to_state, actor, request_id, token_id, reason, note, staff_id, ends_at) VALUES
		($1, 'written_back', 'active', 'active', 'worker', 'req', $2, NULL, NULL, NULL, NULL),
		($1, 'unlinked', 'active', 'not_linked', 'worker', 'req', $3, NULL, NULL, NULL, NULL),
		($1, 'cleared_by_support', 'active', 'reauth_needed', 'support', 'req', NULL, 'cleared_by_support', 'It was <stuck>.', $4, NULL),
		($1, 'expiring', 'active', 'active', 'system', 'req', NULL, NULL, NULL, NULL, '2031-05-07T08:09:00Z'),
		($1, 'invented_later', 'active', 'active', 'system', 'req', NULL, NULL, NULL, NULL, NULL)`,
		user, token.ID, uuid.Must(uuid.NewV7()), staff)
	s.exec("SELECT turn_link_activity()")
	s.exec(`INSERT INTO link_activity (user_id, request_id, what, flow, region, op, outcome, status, type, took, token_id)
		SELECT $1, 'req', 'checkout', 'garth', 'garmin.com', CASE n WHEN 3 THEN 'with_renewal' ELSE '' END, '', 0, '', interval '0', $2
		FROM generate_series(1, 12) n`, user, token.ID)
	s.exec(`INSERT INTO link_activity (user_id, request_id, what, flow, region, op, outcome, status, type, took)
		VALUES ($1, 'req', 'login', 'ios', 'garmin.com', '', '', 0, '', interval '0')`, user)
	page := b.get("/history").want(http.StatusOK).wantText(
		"nightly <sync> renewed the session", "A program removed the link", "Our support staff removed the Garmin session.", "It was <stuck>.",
		"7 May 2031, 08:09 UTC", "has no words for", "nightly <sync> took your session out 12 times", "With what renews it.")
	if strings.Contains(page.source, "agent@example.com") || strings.Contains(page.source, "took your session out 1 ") {
		t.Errorf("the page tells too much:\n%s", page.text())
	}
}

func TestHistoryGoesByPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b, user := s.runner(), s.userID(email)
	s.exec("INSERT INTO users (id, external_id, role) VALUES ($1, 'other', 'user')", strangerID)
	s.happens(strangerID, 3, link.Noted, link.BySupport)
	s.happens(user, 30, link.Exported, link.ByUser)
	s.happens(user, 90, link.Rejected, link.BySystem)
	lines := map[string]int{}
	page := b.get("/history").want(http.StatusOK)
	for pages := 1; ; pages++ {
		lines["rejected"] += strings.Count(page.source, "no longer accepted the session")
		lines["exported"] += strings.Count(page.source, "took a copy of the session away")
		if strings.Contains(page.source, "wrote something down") {
			t.Error("another user's history is shown")
		}
		next := page.linked("Earlier")
		if next == "" {
			if pages != 3 {
				t.Errorf("there are %d pages", pages)
			}
			break
		}
		s.happens(user, 1, link.Rejected, link.BySystem) // what comes meanwhile moves nothing
		page = b.get(next).want(http.StatusOK).wantText("The latest")
	}
	if lines["rejected"] != 90 || lines["exported"] != 30 {
		t.Errorf("the pages show %v", lines)
	}
	for _, before := range []string{"x", "-1", "1.5", "99999999999999999999"} {
		b.get("/history?before=" + url.QueryEscape(before)).want(http.StatusNotFound)
	}
	b.get("/history?before=1").want(http.StatusOK).wantText("Nothing happened before that", "The latest")
}

var strangerID = uuid.MustParse("01900000-0000-7000-8000-000000000001")
