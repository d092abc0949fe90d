package main

import (
	"github.com/chromedp/chromedp"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// reach presses Tab until what a selector finds has the focus. Whatever has it on
// the way must be seen, and be seen to have it.
func (b *tab) reach(selector string) {
	b.t.Helper()
	const stop = `((e) => {
		if (e === document.body) return "";
		const { left, top, width, height } = e.getBoundingClientRect();
		const there = document.elementFromPoint(left + Math.min(width / 2, innerWidth / 2), top + Math.min(height / 2, innerHeight / 2));
		const name = e.localName + "#" + e.id + "." + e.className + " " + (e.name ?? e.textContent.trim());
		if (!e.contains(there) && !there?.contains(e)) return name + " is hidden behind something";
		const { outlineStyle, outlineWidth } = getComputedStyle(e), ring = getComputedStyle(e.closest(".choice, .entry") ?? e);
		return outlineStyle + ring.outlineStyle === "nonenone" && ring.boxShadow === "none" ? name + " does not show its focus" : "";
	})(document.activeElement)`
	for range 80 {
		b.do("press Tab", chromedp.KeyEvent("\t"))
		if fault := evaluate[string](b, stop); fault != "" {
			b.t.Errorf("by keyboard: %s", fault)
		}
		if evaluate[bool](b, "document.activeElement.matches(`"+selector+"`)") {
			return
		}
	}
	b.t.Fatalf("Tab does not lead to %s on the page:\n%s", selector, b.text())
}

func (b *tab) types(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		b.do("type", chromedp.KeyEvent(text))
	}
}

// hit reaches something, and presses Enter.
func (b *tab) hit(selector string) {
	b.t.Helper()
	b.reach(selector)
	b.types("\r")
}

// From the first page to a link and away from it, without a mouse.
func showKeyboardAlone(b *tab) {
	b.open("/")
	b.hit(`a[href="/signin"]`)
	b.await(`form[action="/signin"]`)
	b.reach("#email")
	b.types(ourUser, "\t", ourPassword, "\r")
	b.await(`form[action="/link"]`)
	b.reach("#garmin-email")
	b.types("mfa@garmin.example", "\t", garmintest.DemoPassword, "\r")
	b.await("#code:focus")
	b.types(wrongCode, "\r")
	b.await("#code:focus[aria-invalid]")
	b.types("\b\b\b\b\b\b", garmintest.DemoCode, "\r")
	b.await("#status .badge.active, .badge.active")
	b.hit(`form[action="/link/validate"] [type=submit]`)
	b.read("Garmin confirmed that your link works.")
	b.hit(`details:has(form[action="/link/unlink"]) summary`)
	b.hit(`form[action="/link/unlink"] [type=submit]`)
	b.await(".badge.not_linked")
	b.hit(`form[action="/signout"] [type=submit]`)
	b.await(`a[href="/signin"]`)
	b.s.wantState(b.user, "not_linked")
}

// The prompt stands at the foot of the page: what has the focus must not hide
// behind it, and after its dialog the focus is where it was.
func showPromptByKeyboard(b *tab) {
	b.signIn()
	b.linkFirst("mfa")
	b.see(headCode)
	b.typeCode(garmintest.DemoCode)
	b.see(headActive)
	b.s.garmin.RevokeAccount("mfa@garmin.example")
	b.elsewhere().post("/link/validate")
	b.open("/settings")
	b.prompted(promptEnded)
	b.reach(`form[action="/settings/language"] [type=submit]`)
	b.open("/settings")
	b.hit("#prompt a.button")
	b.await("#relink-garmin-password:focus")
	b.types(garmintest.DemoPassword, "\r")
	b.await("#relink-code:focus")
	b.types("\x1b") // Escape leaves, and nothing is lost
	b.do("wait for the dialog to close", chromedp.WaitNotPresent("dialog[open]"))
	b.hit("#prompt a.button")
	b.await("#relink-code:focus")
	b.types(garmintest.DemoCode, "\r")
	b.await("dialog[open] [command=close]:focus")
	b.types("\r")
	b.do("wait for the dialog to close", chromedp.WaitNotPresent("dialog[open]"))
	b.unprompted()
	b.s.wantState(b.user, "active")
}

// Who asks for less motion gets none, not even while Garmin is asked.
func showReducedMotion(b *tab) {
	b.signIn()
	b.see(headNotLinked)
	release := b.s.garmin.Hold(garmintest.OpLogin)
	b.begin("/link", "email", "plain@garmin.example", "password", garmintest.DemoPassword)
	b.await("form[aria-busy]")
	const moving = "document.getAnimations().filter((a) => a.playState === 'running').length"
	if evaluate[int](b, moving) == 0 {
		b.t.Error("nothing turns while Garmin is asked")
	}
	b.preferReducedMotion()
	if n := evaluate[int](b, moving); n != 0 {
		b.t.Errorf("%d things move, want none", n)
	}
	release()
	b.see(headActive)
}

// A page that is loaded again asks for nothing twice, and tells nothing twice.
func showReload(b *tab) {
	b.signIn()
	b.linkFirst("mfa")
	b.see(headCode)
	b.do("reload", chromedp.Reload())
	b.see(headCode)
	b.wantPath("/link/mfa")
	b.typeCode(garmintest.DemoCode)
	b.see(headActive)
	b.do("reload", chromedp.Reload())
	b.see(headActive)
	if evaluate[bool](b, `document.querySelector(".notice") !== null`) {
		b.t.Error("the page tells again what it has told")
	}
	b.s.wantCalls(garmintest.OpLogin, 1)
	b.s.wantCalls(garmintest.OpVerify, 1)
}
