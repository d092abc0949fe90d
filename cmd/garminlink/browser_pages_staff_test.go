package main

import (
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/dev"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

var agentPages = []scene{
	{"nothing yet", func(b *tab) { b.signInAs(b.s.newStaff(account.RoleSupport)); b.open("/support") }},
	{"no links", at("/support/links")},
	{"a month of many links", func(b *tab) {
		if err := dev.Seed(b.t.Context(), b.s.db.DB, 400); err != nil {
			b.t.Fatal(err)
		}
		b.open("/support")
	}},
	{"charts unfolded", (*tab).unfold},
	{"links", at("/support/links")},
	{"links narrowed", at("/support/links?state=reauth_needed&sort=validated")},
	{"nobody found", at("/support/links?q=nobody-at-all")},
	{"400 of a filter", at("/support/links?state=nonsense&before=yesterday")},
	{"user without a link", func(b *tab) { b.openUser(b.user) }},
	{"user with a link", func(b *tab) {
		b.elsewhere().link("plain").wantRedirect("/link")
		b.openUser(b.user)
	}},
	{"all unfolded", (*tab).unfold},
	{"checked", func(b *tab) { b.act("/check") }},
	{"no note", func(b *tab) { b.act("/note", "note", "") }},
	{"note", func(b *tab) { b.act("/note", "note", "He moved to another watch.") }},
	{"no reason to clear", func(b *tab) { b.act("/clear", "why", "") }},
	{"waits for a code", func(b *tab) {
		v := b.elsewhere()
		v.link("mfa").wantRedirect("/link/mfa")
		b.openUser(b.user)
	}},
	{"code cancelled", func(b *tab) { b.act("/cancel") }},
	{"session removed", func(b *tab) { b.act("/clear", "why", "He asked for it.") }},
	{"what staff did, to the user", func(b *tab) { b.signInAs(ourUser); b.open("/history") }},
	{"repair", func(b *tab) { b.signInAs("support@example.com"); b.open("/support/relink") }},
	{"repair of nobody", func(b *tab) { b.enter("/support/relink", "user", "nobody@example.com") }},
	{"repair address", func(b *tab) { b.enter("/support/relink", "user", ourUser) }},
	{"403 for admins", at("/support/tokens")},
	{"Garmin limits us", func(b *tab) {
		b.s.garmin.Fail(garmintest.OpLogin, garmintest.AddressLimited(5*time.Minute), 1)
		b.elsewhere().link("plain")
		b.open("/support")
	}},
}

func (b *tab) openUser(id uuid.UUID) {
	b.t.Helper()
	b.open("/support/users/" + id.String())
}

// act sends one of the forms of the page of this test's user.
func (b *tab) act(path string, fields ...string) {
	b.t.Helper()
	b.enter("/support/users/"+b.user.String()+path, fields...)
}

var adminPages = []scene{
	{"staff", func(b *tab) { b.signInAs(b.s.newStaff(account.RoleAdmin)); b.open("/support/staff") }},
	{"own role", func(b *tab) {
		b.enter("/support/staff", "email", "admin@example.com", "role", "user", "password", ourPassword)
	}},
	{"role without a password", func(b *tab) { b.enter("/support/staff", "email", ourUser, "role", "support", "password", "guess") }},
	{"role of nobody", func(b *tab) {
		b.enter("/support/staff", "email", "nobody@example.com", "role", "support", "password", ourPassword)
	}},
	{"role changed", func(b *tab) { b.enter("/support/staff", "email", ourUser, "role", "support", "password", ourPassword) }},
	{"no token", func(b *tab) { b.open("/support/tokens"); b.unfold() }},
	{"token without a name", func(b *tab) { b.enter("/support/tokens", "name", "", "password", ourPassword) }},
	{"token without a scope", func(b *tab) { b.enter("/support/tokens", "name", "nightly sync", "password", ourPassword) }},
	{"token that is over", func(b *tab) {
		b.enter("/support/tokens", "name", "nightly sync", "scope", "links:read", "expires", "2020-01-01", "password", ourPassword)
	}},
	{"token with a wrong password", func(b *tab) {
		b.enter("/support/tokens", "name", "nightly sync", "scope", "links:read", "expires", "", "password", "guess")
	}},
	{"token made", func(b *tab) {
		b.enter("/support/tokens", "name", "nightly sync", "scope", "links:read", "expires", "", "password", ourPassword)
	}},
	{"tokens", func(b *tab) { b.open("/support/tokens"); b.unfold() }},
	{"token revoked", func(b *tab) { b.enter("/support/tokens/revoke"); b.unfold() }},
	{"no webhooks", at("/support/webhooks")},
	{"webhooks", func(b *tab) {
		h := newHook(b.t)
		b.s.hears(h)
		b.elsewhere().link("plain").wantRedirect("/link")
		b.s.launch([]string{"worker"}, webhookAllow)
		if got := h.next(b.t); got.body == "" {
			b.t.Error("an empty message")
		}
		b.open("/support/webhooks")
	}},
	{"sent again", func(b *tab) { b.enter("/support/webhooks/resend") }},
	{"nothing failed", at("/support/webhooks?failed=yes")},
	{"keys", at("/support/keys")},
	{"jobs", func(b *tab) { b.open("/support/jobs"); b.unfold() }},
	{"jobs paused", func(b *tab) { b.enter("/support/jobs/pause") }},
	{"jobs go on", func(b *tab) { b.enter("/support/jobs/resume") }},
}
