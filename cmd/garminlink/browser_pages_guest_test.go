package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/chromedp/chromedp"
	"github.com/jackc/pgx/v5"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/notify"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/seal"
)

var guestPages = []scene{
	{"403 without a visit", at("/connect")},
	{"door", func(b *tab) { b.app.register(b.s); b.sent("runner-42", "link") }},
	{"visit", func(b *tab) { b.enter(b.path()) }},
	{"guest's wrong password", func(b *tab) { b.enter("/connect", "email", "plain@garmin.example", "password", "guess") }},
	{"guest's code", func(b *tab) { b.enter("/connect", "email", "mfa@garmin.example", "password", garmintest.DemoPassword) }},
	{"guest's wrong code", func(b *tab) { b.enter("/connect/mfa", "code", wrongCode) }},
	{"guest cancelled the code", func(b *tab) { b.enter("/connect/cancel") }},
	{"guest at Garmin's own page", at("/connect/handoff")},
	{"guest's foreign address", func(b *tab) { b.enter("/connect/ticket", "ticket", "https://connect.garmin.com/?ticket=ST-1-x") }},
	{"visit that is over", func(b *tab) {
		b.open("/connect")
		b.begin("/connect", "email", "plain@garmin.example", "password", garmintest.DemoPassword)
		b.read("200 completed")
		b.open("/connect")
	}},
	{"door that is over", func(b *tab) { b.open(b.path()) }},
	{"relink of one account", func(b *tab) { b.sent("runner-42", "relink"); b.enter(b.path()) }},
	{"not that account", func(b *tab) { b.enter("/connect", "email", "mfa@garmin.example", "password", garmintest.DemoPassword) }},
	{"door used elsewhere", func(b *tab) {
		b.sent("runner-43", "link")
		first := b.s.stranger()
		first.post(b.path(), "browser", first.get(b.path()).value("browser")).wantRedirect("/connect")
		b.enter(b.path())
	}},
	{"404 of a door", at("/connect/glc_nothing")},
	{"mails", func(b *tab) { b.open("/mail/" + b.s.optOut(b)) }},
	{"no more mails", func(b *tab) { b.enter(strings.TrimPrefix(evaluate[string](b, "location.pathname"), b.s.door.URL)) }},
}

// sent opens the address of a user of the host's.
func (b *tab) sent(user, purpose string) {
	b.t.Helper()
	b.app.send(user, purpose)
	b.open(b.path())
}

// path is where the host has sent its user.
func (b *tab) path() string { return strings.TrimPrefix(b.app.session.URL, b.s.door.URL) }

// optOut is the way out of mails for the user of the tab.
func (s *stack) optOut(b *tab) string {
	s.t.Helper()
	keys, err := seal.Parse([]byte(s.keyset))
	if err != nil {
		s.t.Fatal(err)
	}
	vault, err := link.OpenVault(s.t.Context(), postgres.NewLinks(s.db.DB), keys)
	if err != nil {
		s.t.Fatal(err)
	}
	return notify.OptOuts{Vault: vault}.Token(b.user)
}

var errorPages = []scene{
	{"404", at("/nothing")},
	{"404 of what is for staff", func(b *tab) { b.signInAs(ourUser); b.open("/support") }},
	{"405", func(b *tab) { b.submitTo("/history", 1) }},
	{"413", func(b *tab) { b.open("/history"); b.submitTo("/link/import", 300<<10) }},
	{"403 of another site", func(b *tab) {
		b.do("go to another site", chromedp.Navigate(b.app.URL))
		b.submitTo(b.s.door.URL+"/signin", 1)
	}},
	{"too many passwords", func(b *tab) {
		b.open("/settings")
		for range 11 {
			b.enter("/settings/password", "old", "guess", "password", "guess-the-password")
		}
		b.await("[data-countdown]")
	}},
	{"500", func(b *tab) {
		b.s.exec("ALTER TABLE link_events RENAME TO elsewhere")
		b.open("/history")
		b.s.exec("ALTER TABLE elsewhere RENAME TO link_events")
	}},
	{"503", func(b *tab) {
		b.s.cutOff(true)
		b.open("/history")
		b.s.cutOff(false)
	}},
}

// submitTo sends a form that no page of ours has, with a field of that size.
func (b *tab) submitTo(address string, size int) {
	b.t.Helper()
	evaluate[int](b, fmt.Sprintf(`(() => {
		const form = document.createElement("form"), field = document.createElement("input");
		form.method = "post";
		form.action = %q;
		field.name = "session";
		field.value = "x".repeat(%d);
		form.append(field);
		document.querySelector("main").append(form);
		document.querySelector("main").firstElementChild.dataset.departed = "";
		form.submit();
		return 0;
	})()`, address, size))
	b.arrive()
}

// cutOff lets nobody into the database, and throws out who is there; or lets
// them in again.
func (s *stack) cutOff(off bool) {
	s.t.Helper()
	admin, err := pgx.Connect(s.t.Context(), os.Getenv("GARMINLINK_TEST_DATABASE_URL"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer admin.Close(s.t.Context())
	name := s.db.Pool.Config().ConnConfig.Database
	statements := []string{fmt.Sprintf("ALTER DATABASE %s ALLOW_CONNECTIONS %t", pgx.Identifier{name}.Sanitize(), !off)}
	if off {
		statements = append(statements, fmt.Sprintf("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s'", name))
	}
	for _, sql := range statements {
		if _, err := admin.Exec(s.t.Context(), sql); err != nil {
			s.t.Fatal(err)
		}
	}
	s.db.Pool.Reset()
}
