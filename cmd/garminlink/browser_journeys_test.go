package main

import (
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// Headings of the page of a link.
const (
	headNotLinked = "Link your Garmin account"
	headCode      = "Enter the code from Garmin"
	headActive    = "Your Garmin link"
	headReauth    = "Sign in to Garmin again"
	headCandidate = "Use another Garmin account?"
)

// journeys are what users do, from the first page to the last.
var journeys = []struct {
	name string
	walk func(*tab)
}{
	{"plain link", walkPlainLink},
	{"link with a code", walkCode},
	{"five wrong codes", walkFiveWrongCodes},
	{"expired challenge", walkExpired},
	{"wrong password", walkWrongPassword},
	{"relink", walkRelink},
	{"another account", walkAnotherAccount},
	{"unlink", walkUnlink},
	{"refused by Garmin", walkRefused},
	{"link that died", walkDeadLink},
	{"hand-off by address", walkHandoffByAddress},
	{"import and copy", walkImportAndCopy},
	{"blocked by Garmin", walkBlocked},
	{"support", walkSupport},
	{"settings", walkSettings},
}

// looksOf spreads the screens over the journeys, so that each is walked with
// and without scripts, on a phone and on a desktop, in light and in dark.
func looksOf(i int) []look {
	if i%2 == 0 {
		return []look{phoneLight, desktopDark.withoutScripts()}
	}
	return []look{desktopLight, phoneDark.withoutScripts()}
}

func TestInABrowser(t *testing.T) {
	t.Parallel()
	browser := chromium(t)
	for i, j := range journeys {
		for _, l := range inAll(looksOf(i)) {
			t.Run(j.name+"/"+l.name, func(t *testing.T) {
				t.Parallel()
				b := openTab(t, browser, l)
				b.signIn()
				j.walk(b)
			})
		}
	}
	for _, h := range habits {
		for _, l := range inAll(h.looks) {
			t.Run(h.name+"/"+l.name, func(t *testing.T) {
				t.Parallel()
				h.show(openTab(t, browser, l))
			})
		}
	}
}

// signInAtGarmin fills and sends the form of the page.
func (b *tab) signInAtGarmin(account, password, label string) {
	b.t.Helper()
	b.fill("Garmin e-mail", account+"@garmin.example")
	b.fill("Garmin password", password)
	b.press(label)
}

// linkFirst goes from the first page of a new user to where the login leads.
func (b *tab) linkFirst(account string) {
	b.t.Helper()
	b.see(headNotLinked)
	b.signInAtGarmin(account, garmintest.DemoPassword, "Link Garmin account")
}

// linkAgain signs in to Garmin on the page of an active link.
func (b *tab) linkAgain(account, password string) {
	b.t.Helper()
	b.press("Sign in to Garmin again")
	b.signInAtGarmin(account, password, "Sign in to Garmin")
}

func (b *tab) typeCode(code string) {
	b.t.Helper()
	b.fill("Code from Garmin", code)
	b.press("Confirm")
}

func walkPlainLink(b *tab) {
	b.linkFirst("plain")
	b.see(headActive)
	b.read("Your Garmin account is linked.")
	b.read("Pia Plain")
	b.wantPath("/link")
	b.press("Check now")
	b.read("Garmin confirmed that your link works.")
	b.s.wantState(b.user, "active")
}

func walkCode(b *tab) {
	b.linkFirst("mfa")
	b.see(headCode)
	b.wantPath("/link/mfa")
	b.wantFocus("code")
	b.read("mf*****@garmin.example")
	b.typeCode(wrongCode)
	b.read("That was not the right code.")
	b.inspect("wrong code")
	b.read("4 attempts left")
	b.wantFocus("code")
	b.typeCode("123 456")
	b.see(headActive)
	b.wantPath("/link")
	b.s.wantState(b.user, "active")
	b.s.wantCalls(garmintest.OpVerify, 2)
}

func walkFiveWrongCodes(b *tab) {
	b.linkFirst("sms")
	b.see(headCode)
	for _, left := range []string{"4 attempts left", "3 attempts left", "2 attempts left", "1 attempt left"} {
		b.typeCode(wrongCode)
		b.read(left)
	}
	b.inspect("last attempt")
	b.typeCode(wrongCode)
	b.meet("Too many wrong codes")
	b.see(headNotLinked)
	b.s.wantState(b.user, "not_linked")
	b.s.wantCalls(garmintest.OpVerify, 5)
}

func walkExpired(b *tab) {
	b.linkFirst("mfa")
	b.see(headCode)
	b.s.advance(11 * time.Minute)
	b.typeCode(garmintest.DemoCode)
	b.meet("The code came too late")
	b.see(headNotLinked)
	b.signInAtGarmin("mfa", garmintest.DemoPassword, "Link Garmin account")
	b.see(headCode)
	b.typeCode(garmintest.DemoCode)
	b.see(headActive)
}

func walkWrongPassword(b *tab) {
	b.see(headNotLinked)
	b.signInAtGarmin("plain", "not the password", "Link Garmin account")
	b.meet("Garmin did not accept this e-mail and password")
	b.wantFocus("section")
	const values = `[...document.querySelectorAll("#garmin-email, #garmin-password")].map((f) => f.value).join("|")`
	if got := evaluate[string](b, values); got != "plain@garmin.example|" {
		b.t.Errorf("the form holds %q", got)
	}
	b.fill("Garmin password", garmintest.DemoPassword)
	b.press("Link Garmin account")
	b.see(headActive)
}

func walkRelink(b *tab) {
	b.linkFirst("totp")
	b.see(headCode)
	b.fill("Code from your authenticator app", garmintest.DemoCode)
	b.press("Confirm")
	b.see(headActive)
	b.s.advance(time.Hour)
	b.linkAgain("totp", "not the password")
	b.meet("Garmin did not accept this e-mail and password")
	b.signInAtGarmin("totp", garmintest.DemoPassword, "Sign in to Garmin")
	b.see(headCode)
	b.read("Your former link still works")
	b.press("Cancel")
	b.see(headActive)
	b.read("The sign-in to Garmin was cancelled.")
	b.s.wantEvents(b.user, "code_asked: not_linked -> mfa_pending", "code_accepted: mfa_pending -> active",
		"code_asked: active -> mfa_pending", "cancelled: mfa_pending -> active")
}

func walkAnotherAccount(b *tab) {
	b.linkFirst("plain")
	b.see(headActive)
	for _, c := range []struct{ answer, name string }{
		{"Keep the former account", "Pia Plain"},
		{"Use the new account", "Max Mail"},
	} {
		b.linkAgain("mfa", garmintest.DemoPassword)
		b.see(headCode)
		b.typeCode(garmintest.DemoCode)
		b.see(headCandidate)
		b.press(c.answer)
		b.see(headActive)
		b.read(c.name)
	}
	b.press("Check now")
	b.read("Garmin confirmed that your link works.")
}

func walkUnlink(b *tab) {
	b.linkFirst("china")
	b.meet("Garmin did not accept this e-mail and password") // of garmin.com
	b.choose("Chinese mainland, garmin.cn")
	b.fill("Garmin password", garmintest.DemoPassword)
	b.press("Link Garmin account")
	b.see(headActive)
	b.press("Unlink")
	b.read("change your password at Garmin")
	b.inspect("unlink asked")
	b.press("Yes, unlink my Garmin account")
	b.see(headNotLinked)
	b.read("Your Garmin account is no longer linked.")
	b.s.wantState(b.user, "not_linked")
}

func walkRefused(b *tab) {
	b.s.garmin.Fail(garmintest.OpLogin, garmintest.UnknownType, 1)
	b.linkFirst("plain")
	b.meet("Garmin gave an answer that we do not know")
	b.read("Reference for support")
	b.s.garmin.Fail(garmintest.OpLogin, garmintest.AddressLimited(90*time.Second), 1)
	b.signInAtGarmin("plain", garmintest.DemoPassword, "Link Garmin account")
	b.meet("Garmin asks us to slow down")
	b.read("You can try again in")
	b.wantFocus("section")
	b.s.advance(90 * time.Second)
	b.press("With e-mail and password")
	b.fill("Garmin password", garmintest.DemoPassword)
	b.press("Link Garmin account")
	b.see(headActive)
}

func walkDeadLink(b *tab) {
	b.linkFirst("plain")
	b.see(headActive)
	b.s.garmin.RevokeAccount("plain@garmin.example")
	b.press("Check now")
	b.meet("Garmin no longer accepts the link")
	b.see(headReauth)
	b.fill("Garmin password", garmintest.DemoPassword)
	b.press("Sign in to Garmin")
	b.see(headActive)
	b.s.wantState(b.user, "active")
}
