package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// address is the one that a page shows to staff.
func (p *page) address() *url.URL {
	p.t.Helper()
	for n := range p.tree().Descendants() {
		if n.Type == html.TextNode && n.Parent.Data == "code" && strings.Contains(n.Data, "/connect/") {
			u, err := url.Parse(n.Data)
			if err != nil {
				p.t.Fatal(err)
			}
			return u
		}
	}
	p.t.Fatalf("%s shows no address:\n%s", p.request, p.text())
	return nil
}

func TestSupportSendsAUserToRelink(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	owner, staff := s.runner(), s.staff(account.RoleSupport)
	owner.link("plain").wantRedirect("/link")
	form := staff.get("/support/relink").want(http.StatusOK).value("/support/relink", "attempt")
	made := staff.post("/support/relink", "attempt", form, "user", " Runner@example.com ").want(http.StatusCreated).wantText(email, "30 minutes")
	if mail := made.source; !strings.Contains(mail, `href="mailto:runner@example.com?`) {
		t.Error("there is no letter")
	}
	door := made.address()
	if again := staff.post("/support/relink", "attempt", form, "user", email).want(http.StatusCreated).address(); *again != *door {
		t.Error("a double click makes another address")
	}

	b := s.browser()
	p := b.get(door.Path).want(http.StatusOK).wantText("Our support asks you", "Sign in as Pia Plain")
	b.post(door.Path, "browser", p.value(door.Path, "browser")).wantRedirect("/connect")
	b.post("/connect", "email", "plain@garmin.example", "password", "wrong", "region", "garmin.com").want(http.StatusUnprocessableEntity)
	b.link("plain").wantRedirect("/signin?next=%2Flink") // of owners alone
	b.post("/connect", "email", "plain@garmin.example", "password", garmintest.DemoPassword, "region", "garmin.com").wantRedirect("/")
	b.get("/").wantText("Thank you: your Garmin account is linked again.")
	var by string
	if err := s.db.Pool.QueryRow(context.Background(), "SELECT actor FROM link_events WHERE event = 'relink_asked'").Scan(&by); err != nil || by != "support" {
		t.Errorf("the history has %q, %v", by, err)
	}
}

func TestSupportIsToldWhomItCannotSend(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if _, err := s.accounts.EnsureExternal(context.Background(), "42", "contact@example.com"); err != nil {
		t.Fatal(err)
	}
	staff := s.staff(account.RoleSupport)
	for user, says := range map[string]string{
		"":                    "Nobody signs in here",
		"nobody@example.com":  "Nobody signs in here",
		"contact@example.com": "Nobody signs in here", // contact data finds nobody
		"ext:43":              "Nobody signs in here",
		"ext:42":              "This user has no link",
		email:                 "This user has no link",
	} {
		p := staff.post("/support/relink", "user", user).want(http.StatusUnprocessableEntity).wantText(says)
		if p.value("/support/relink", "user") != user {
			t.Errorf("the page forgets %q", user)
		}
	}
}

func TestRelinkPageIsForStaff(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.runner().get("/support/relink").want(http.StatusNotFound)
	s.runner().post("/support/relink", "user", email).want(http.StatusNotFound)
	s.browser().get("/support/relink").want(http.StatusSeeOther)
	s.staff(account.RoleAdmin).get("/support/relink").want(http.StatusOK)
}
