package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

var firstRun = []scene{
	{"set-up", func(b *tab) { b.s.exec("DELETE FROM users"); b.open("/") }},
	{"set-up with a wrong token", func(b *tab) {
		b.enter("/setup", "token", "gls_guess", "email", "admin@example.com", "password", ourPassword)
	}},
	{"set-up with a short password", func(b *tab) {
		b.enter("/setup", "token", b.setUpToken(), "email", "admin@example.com", "password", "short")
	}},
	{"set-up by two at once", func(b *tab) {
		b.s.newStaff("admin")
		b.enter("/setup", "token", "gls_guess", "email", "other@example.com", "password", ourPassword)
	}},
}

func (b *tab) setUpToken() string {
	b.t.Helper()
	made := garminlink(b.t, "", []string{"DATABASE_URL=" + b.s.db.URL}, "setup-token")
	if made.code != exitOK {
		b.t.Fatal(made.stderr)
	}
	return strings.TrimSuffix(made.stdout, "\n")
}

var strangers = []scene{
	{"start", at("/")},
	{"sign-in", at("/signin")},
	{"sign-in without an e-mail", func(b *tab) { b.enter("/signin", "email", "", "password", "") }},
	{"sign-in refused", func(b *tab) { b.enter("/signin", "email", ourUser, "password", "not the password") }},
	{"sign-up", at("/signup")},
	{"sign-up with a bad address", func(b *tab) { b.enter("/signup", "email", "new", "password", ourPassword) }},
	{"sign-up with a short password", func(b *tab) { b.enter("/signup", "email", "new@example.com", "password", "short") }},
	{"sign-up with a known address", func(b *tab) { b.enter("/signup", "email", ourUser, "password", ourPassword) }},
	{"sign-in has ended", func(b *tab) {
		b.signInAs(ourUser)
		b.s.exec("UPDATE sign_ins SET ended_at = app_now()")
		b.open("/history")
		b.await(`form[action="/signin"] [name=next][value="/history"]`)
	}},
	{"signed out", func(b *tab) {
		b.enter("/signin", "email", ourUser, "password", ourPassword)
		b.enter("/signout")
	}},
	{"too many sign-ins", func(b *tab) {
		b.open("/signin")
		for range 11 {
			b.enter("/signin", "email", "nobody@example.com", "password", "guess")
		}
		b.await("[data-countdown]")
	}},
	{"in German", inLanguage("de")},
	{"in Chinese", inLanguage("zh-Hans")},
}

func inLanguage(tag string) func(*tab) {
	return func(b *tab) {
		b.open("/")
		b.do("choose "+tag, chromedp.Click(`.languages [value="`+tag+`"]`))
		b.language = tag
		b.await(`html[lang="` + tag + `"] h1`)
	}
}

// garmins sends the form for Garmin's e-mail and password.
func (b *tab) garmins(account, password string) {
	b.t.Helper()
	b.enter("/link", "email", account+"@garmin.example", "password", password)
}

var signingIn = []scene{
	{"not linked", func(b *tab) { b.signInAs(ourUser) }},
	{"no e-mail", func(b *tab) { b.enter("/link", "email", "", "password", "x") }},
	{"no password", func(b *tab) { b.garmins("plain", "") }},
	{"wrong password", func(b *tab) { b.garmins("plain", "not the password") }},
	{"locked account", func(b *tab) { b.garmins("locked", garmintest.DemoPassword) }},
	{"child's account", func(b *tab) { b.garmins("child", garmintest.DemoPassword) }},
	{"picture puzzle", func(b *tab) { b.garmins("captcha", garmintest.DemoPassword) }},
	{"Garmin is asked", func(b *tab) {
		b.release = b.s.garmin.Hold(garmintest.OpLogin)
		asked := b.s.garmin.Calls(garmintest.OpLogin)
		b.begin("/link", "email", "plain@garmin.example", "password", garmintest.DemoPassword)
		b.s.awaitGarmin(garmintest.OpLogin, asked+1)
		b.await(`form[aria-busy]`)
	}},
	{"asked already", func(b *tab) {
		b.open("/link")
		b.garmins("plain", garmintest.DemoPassword)
		b.release()
	}},
	{"slowed down", failing(garmintest.OpLogin, garmintest.AddressLimited(90*time.Second))},
	{"unknown answer", failing(garmintest.OpLogin, garmintest.UnknownType)},
	{"Garmin is down", failing(garmintest.OpLogin, garmintest.ServerError)},
	{"turned away", failing(garmintest.OpLogin, garmintest.EdgeBlocked)},
}

// failing links while Garmin answers so, to a user of his own: what Garmin said
// before is remembered.
func failing(op garmintest.Op, f garmintest.Fault) func(*tab) {
	return func(b *tab) {
		b.s.advance(time.Hour)
		b.s.garmin.Clear()
		b.s.garmin.Fail(op, f, 0)
		email := uuid.NewString() + "@example.com"
		b.s.newUser(email)
		b.signInAs(email)
		b.garmins("plain", garmintest.DemoPassword)
		b.await(".problem")
		b.s.garmin.Clear()
	}
}

// wrong types a code that is not right.
func wrong(b *tab) { b.enter("/link/mfa", "code", wrongCode) }

var codes = []scene{
	{"code by mail", func(b *tab) { b.signInAs(ourUser); b.garmins("mfa", garmintest.DemoPassword) }},
	{"no code", func(b *tab) { b.enter("/link/mfa", "code", "") }},
	{"wrong code", wrong},
	{"code asked for too soon", func(b *tab) { b.enter("/link/mfa/resend") }},
	{"new code", func(b *tab) { b.s.advance(31 * time.Second); b.enter("/link/mfa/resend") }},
	{"last try", func(b *tab) { wrong(b); wrong(b); wrong(b) }},
	{"all tries gone", wrong},
	{"code by SMS", func(b *tab) { b.garmins("sms", garmintest.DemoPassword) }},
	{"cancelled", func(b *tab) { b.enter("/link/cancel") }},
	{"code of an app", func(b *tab) { b.garmins("totp", garmintest.DemoPassword) }},
	{"time is up", func(b *tab) { b.later(11 * time.Minute); b.await(`#challenge-left:not([data-countdown])`) }},
	{"code too late", func(b *tab) {
		b.s.advance(11 * time.Minute)
		b.enter("/link/mfa", "code", garmintest.DemoCode)
	}},
}

var links = []scene{
	{"linked", func(b *tab) {
		b.signInAs(ourUser)
		b.garmins("plain", garmintest.DemoPassword)
		b.await(".badge.active")
	}},
	{"checked", func(b *tab) { b.enter("/link/validate") }},
	{"all unfolded", (*tab).unfold},
	{"checking is limited", func(b *tab) {
		b.s.garmin.Fail(garmintest.OpProfile, garmintest.AddressLimited(5*time.Minute), 1)
		b.enter("/link/validate")
		b.await(".problem")
		b.s.advance(time.Hour)
	}},
	{"wrong password again", func(b *tab) { b.open("/link"); b.garmins("plain", "not the password") }},
	{"code for a link", func(b *tab) { b.open("/link"); b.garmins("mfa", garmintest.DemoPassword); b.await("#code") }},
	{"another account", func(b *tab) {
		b.enter("/link/mfa", "code", garmintest.DemoCode)
		b.await(`form[action="/link/replace"]`)
	}},
	{"former account kept", func(b *tab) { b.enter("/link/replace", "confirm", "no"); b.await(".badge.active") }},
	{"history", at("/history")},
	{"link that ends", func(b *tab) {
		b.s.exec("UPDATE garmin_authentication_states SET refresh_expires_at = app_now() + interval '3 days', next_check_at = app_now() + interval '1 day'")
		b.open("/link")
	}},
	{"changed elsewhere", func(b *tab) {
		b.listening()
		b.elsewhere().post("/link/unlink", "confirm", "yes").wantRedirect("/link")
		b.await("#status .moved")
	}},
	{"unlinked", func(b *tab) {
		b.open("/link")
		b.garmins("plain", garmintest.DemoPassword)
		b.await(".badge.active")
		b.enter("/link/unlink")
		b.await(".badge.not_linked")
	}},
	{"dead", func(b *tab) {
		b.garmins("plain", garmintest.DemoPassword)
		b.await(".badge.active")
		b.s.garmin.RevokeAccount("plain@garmin.example")
		b.s.garmin.ExpireAccessTokens()
		b.enter("/link/validate")
		b.await(".badge.reauth_needed")
	}},
	{"still dead", at("/link")},
	{"history of a death", at("/history")},
	{"nothing to copy", at("/link/export")},
	{"settings of a dead link", at("/settings")},
}

// listening waits for the stream of changes of the page on show.
func (b *tab) listening() {
	b.t.Helper()
	n, _ := b.s.door.count("GET /link/changes")
	b.s.door.await(b.t, "GET /link/changes", max(n, 1))
}

var otherWays = []scene{
	{"Garmin's own page", func(b *tab) { b.signInAs(ourUser); b.open("/link/handoff") }},
	{"Garmin's page in China", at("/link/handoff?region=garmin.cn")},
	{"no address", func(b *tab) { b.open("/link/handoff"); b.enter("/link/ticket", "ticket", "") }},
	{"foreign address", func(b *tab) { b.enter("/link/ticket", "ticket", "https://connect.garmin.com/modern/?ticket=ST-1-x") }},
	{"import", at("/link/import")},
	{"no session", func(b *tab) { b.enter("/link/import", "session", "this is no session") }},
	{"imported", func(b *tab) {
		b.enter("/link/import", "session", dumps(b.t, b.s.session("plain", garmin.RegionGlobal)))
		b.await(".badge.active")
	}},
	{"copy", at("/link/export")},
	{"copy with a wrong password", func(b *tab) { b.enter("/link/export", "password", "not the password"); b.await(".error") }},
}

var settings = []scene{
	{"settings", func(b *tab) { b.signInAs(ourUser); b.open("/settings") }},
	{"mails chosen", func(b *tab) { b.enter("/settings/mails", "mails", "") }},
	{"signed in elsewhere", func(b *tab) { b.elsewhere(); b.open("/settings") }},
	{"signed out elsewhere", func(b *tab) { b.enter("/settings/signins") }},
	{"old password wrong", func(b *tab) { b.enter("/settings/password", "old", "guess", "password", ourPassword+"-2") }},
	{"new password short", func(b *tab) { b.enter("/settings/password", "old", ourPassword, "password", "short") }},
	{"all unfolded", (*tab).unfold},
	{"history of nothing", at("/history")},
	{"no such language", func(b *tab) {
		b.open("/settings")
		evaluate[int](b, `document.querySelector("#main [name=language]").value = "tlh"; 0`)
		b.enter("/settings/language", "language", "tlh")
	}},
	{"in Spanish", func(b *tab) { b.open("/settings"); b.language = "es"; b.enter("/settings/language", "language", "es") }},
	{"in French", func(b *tab) { b.language = "fr"; b.enter("/settings/language", "language", "fr"); b.open("/link") }},
	{"settings in French", at("/settings")},
}

var prompts = []scene{
	{"prompt", func(b *tab) {
		b.signInAs(ourUser)
		b.garmins("mfa", garmintest.DemoPassword)
		b.enter("/link/mfa", "code", garmintest.DemoCode)
		b.s.garmin.RevokeAccount("mfa@garmin.example")
		b.s.garmin.ExpireAccessTokens()
		b.elsewhere().post("/link/validate")
		b.open("/settings")
		b.await("#prompt #prompt-title")
	}},
	{"dialog", func(b *tab) {
		b.do("open the dialog", chromedp.Click("#prompt a.button"))
		b.await(`dialog[open] form[action="/link"]`)
	}},
	{"wrong password in the dialog", func(b *tab) {
		b.inSheet("/link", "password", "guess")
		b.await("dialog[open] .problem")
	}},
	{"code in the dialog", func(b *tab) {
		b.inSheet("/link", "password", garmintest.DemoPassword)
		b.await("dialog[open] [name=code]")
	}},
	{"wrong code in the dialog", func(b *tab) {
		b.inSheet("/link/mfa", "code", wrongCode)
		b.await("dialog[open] [aria-invalid]")
	}},
	{"prompt for a code", func(b *tab) { b.open("/history"); b.await("#prompt #prompt-title") }},
	{"done in the dialog", func(b *tab) {
		b.do("open the dialog", chromedp.Click("#prompt a.button"))
		b.await("dialog[open] [name=code]")
		b.inSheet("/link/mfa", "code", garmintest.DemoCode)
		b.await("dialog[open] [command=close]")
	}},
}

// inSheet fills in and sends a form of the dialog.
func (b *tab) inSheet(action, name, value string) {
	b.t.Helper()
	evaluate[int](b, fmt.Sprintf(`(() => {
		const form = document.querySelector('dialog[open] form[action=%q]');
		form.elements[%q].value = %q;
		form.requestSubmit();
		return 0;
	})()`, action, name, value))
}
