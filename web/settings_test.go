package web_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/garminlink/garminlink/web"
)

func sendsMails(c *web.Config) { c.SendsMails = true }

// ticked reports whether a box or button of a group is chosen.
func (p *page) ticked(name, value string) bool {
	p.t.Helper()
	for n := range p.tree().Descendants() {
		if n.Type == html.ElementNode && n.Data == "input" && attr(n, "name") == name && attr(n, "value") == value {
			return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "checked" })
		}
	}
	p.t.Fatalf("%s offers no %s=%s", p.request, name, value)
	return false
}

func TestSettingsLeadToWhatThereIs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	empty := b.get("/settings").want(http.StatusOK).wantText("Link your Garmin account", "This browser", email)
	if strings.Contains(empty.source, "/link/export") || strings.Contains(empty.source, "Sign out everywhere else") {
		t.Error("the page leads to what there is not")
	}
	b.link("plain").want(http.StatusSeeOther)
	b.get("/settings").wantText("Sign in to Garmin again, or unlink", "Take a copy of the session", "What happened to your link")
	for _, path := range []string{"/mails", "/language", "/signins", "/password"} {
		b.get("/settings" + path).wantRedirect("/settings")
	}
	s.browser().get("/settings").wantRedirect("/signin?next=%2Fsettings")
	s.browser().post("/settings/signins").wantRedirect("/signin?next=%2Fsettings%2Fsignins")
}

func TestMailsAreTheUsersChoice(t *testing.T) {
	t.Parallel()
	s := newSite(t, sendsMails)
	b, user := s.runner(), s.userID(email)
	if !b.get("/settings").ticked("mails", "on") {
		t.Error("mails are off from the beginning")
	}
	b.post("/settings/mails").wantRedirect("/settings")
	if b.get("/settings").wantText("You get no more mails").ticked("mails", "on") || !s.noMail(user) {
		t.Error("mails are still on")
	}
	b.header.Set("HX-Request", "true")
	if !b.post("/settings/mails", "mails", "on").want(http.StatusOK).wantText("We write to you").ticked("mails", "on") || s.noMail(user) {
		t.Error("mails are still off")
	}
}

func TestOnlyOfferedLanguagesAreKept(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	kept := func() (tag string) {
		t.Helper()
		if err := s.db.Pool.QueryRow(context.Background(), "SELECT language FROM users WHERE email = $1", email).Scan(&tag); err != nil {
			t.Fatal(err)
		}
		return tag
	}
	if !b.get("/settings").ticked("language", "") {
		t.Error("a language is chosen from the beginning")
	}
	b.post("/settings/language", "language", "en").wantRedirect("/settings")
	if !b.get("/settings").wantText("in this language from now on").ticked("language", "en") {
		t.Error("the language is not kept")
	}
	for _, tag := range []string{"tlh", "EN", "en-", "en\x00"} {
		b.post("/settings/language", "language", tag).want(http.StatusUnprocessableEntity).wantText("Choose from these")
	}
	if got := kept(); got != "en" {
		t.Errorf("kept is %q", got)
	}
	b.post("/settings/language", "language", "").wantRedirect("/settings")
	if got := kept(); got != "" {
		t.Errorf("kept is %q", got)
	}
}

func TestSignOutOthersAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	phone, desk := s.runner(), s.runner()
	shown := desk.get("/settings").wantText("This browser", "Another browser", "Sign out everywhere else")
	if n := strings.Count(shown.source, "This browser"); n != 1 {
		t.Errorf("%d browsers are this one", n)
	}
	desk.post("/settings/signins").wantRedirect("/settings")
	phone.get("/link").wantRedirect("/signin?next=%2Flink")
	phone.get("/link/changes").want(http.StatusUnauthorized)
	if after := desk.get("/settings").wantText("signed out everywhere else"); strings.Contains(after.source, "Another browser") {
		t.Error("another is still listed")
	}
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	phone, desk := s.runner(), s.runner()
	const better = "tern-gravel-lantern-08"
	for _, c := range []struct{ old, password, says string }{
		{"wrong", better, "Type the password that you use until now"},
		{"", better, "Type the password that you use until now"},
		{password, "short", "at least 10 characters"},
		{password, "password1234", "well-known"},
	} {
		p := desk.post("/settings/password", "old", c.old, "password", c.password).want(http.StatusUnprocessableEntity).wantText(c.says)
		if p.value("/settings/password", "old") != "" || p.value("/settings/password", "password") != "" {
			t.Error("the form keeps a password")
		}
	}
	phone.get("/link").want(http.StatusOK)
	desk.post("/settings/password", "old", password, "password", better).wantRedirect("/settings")
	desk.get("/settings").wantText("Your password is changed")
	phone.get("/link").wantRedirect("/signin?next=%2Flink")
	phone.post("/signin", "email", email, "password", password).want(http.StatusUnprocessableEntity)
	phone.post("/signin", "email", email, "password", better).wantRedirect("/link")
	for range 10 {
		desk.post("/settings/password", "old", "wrong", "password", better)
	}
	desk.post("/settings/password", "old", better, "password", password).want(http.StatusTooManyRequests).wantText("Too many tries")
	if log := s.log.String(); strings.Contains(log, better) || !strings.Contains(log, "a password is changed") {
		t.Errorf("the log says\n%s", log)
	}
}
