package main

import (
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/views"
)

const (
	promptEnded = "Sign in to Garmin again"
	promptCode  = "Garmin waits for your code"
)

// prompted waits until the page asks for this, at its foot.
func (b *tab) prompted(title string) {
	b.t.Helper()
	b.find("the prompt "+title, fmt.Sprintf(`//*[@id="prompt-title"][normalize-space()=%q]`, title))
}

// unprompted waits until the page asks for nothing.
func (b *tab) unprompted() {
	b.t.Helper()
	b.do("wait for the prompt to go", chromedp.WaitNotPresent(`//*[@id="prompt"]/*`))
}

// sheetSays waits until the dialog above the page says this.
func (b *tab) sheetSays(text string) {
	b.t.Helper()
	b.find("the dialog's "+text, fmt.Sprintf(`//dialog[@open]//*[text()[contains(normalize-space(),%q)]]`, text))
}

// another opens a second tab of the same browser, on its own page.
func (b *tab) another(path string) *tab {
	b.t.Helper()
	second := &tab{t: b.t, s: b.s, look: b.look, user: b.user, replica: b.replica}
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithListener(second.listen))
	b.t.Cleanup(cancel)
	b.t.Cleanup(second.wantSilence)
	second.ctx = ctx
	if err := chromedp.Do(ctx); err != nil {
		b.t.Fatal(err)
	}
	second.emulate(b.look)
	second.open(path)
	return second
}

// asks counts what the pages so far have asked the prompt.
func (b *tab) asks() int {
	n, _ := b.s.door.count("GET /link/prompt")
	return n
}

// heardOf opens a page, and waits until its stream has told it to look.
func (b *tab) heardOf(path string, on func(string)) {
	b.t.Helper()
	before := b.asks()
	on(path)
	b.s.door.await(b.t, "GET /link/prompt", before+1)
}

// dies ends the link by what the program at another door does, and waits for
// this page to ask.
func (b *tab) dies(account string, at *program) {
	b.t.Helper()
	b.s.garmin.RevokeAccount(account + "@garmin.example")
	b.elsewhere().at(at).post("/link/validate").wantProblem("Garmin no longer accepts the link")
	b.prompted(promptEnded)
	b.wantSoon()
}

const (
	typed = `document.getElementById("new-password").value + " " + document.activeElement.id`
	place = `scrollX + " " + scrollY`
)

// A link dies while its user types on a page that has nothing to do with it, and
// is repaired from there: what he typed, and where he was, stays.
func showPrompt(b *tab) {
	b.signIn()
	b.linkFirst("sms")
	b.see(headCode)
	b.typeCode(garmintest.DemoCode)
	b.see(headActive)
	b.heardOf("/settings", b.open)
	b.press("Change your password")
	b.fill("New password", "half-typed")
	before := evaluate[string](b, place)
	var second *tab
	b.heardOf("/history", func(path string) { second = b.another(path) })
	other := b.s.replica()

	b.dies("sms", other)
	second.prompted(promptEnded)
	if got := evaluate[string](b, typed+` + " " + document.getElementById("announcer").textContent`); got != "half-typed new-password "+promptEnded+". Your link no longer works, and no new data come in." {
		b.t.Errorf("typed, focused, said: %q", got)
	}
	if now := evaluate[string](b, place); now != before {
		b.t.Errorf("the page was at %s, and is at %s", before, now)
	}
	const inSight = `((r) => document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2) === document.activeElement)(document.activeElement.getBoundingClientRect())`
	if !evaluate[bool](b, inSight) {
		b.t.Error("the prompt hides what is being typed into")
	}
	b.inspect("prompt")

	b.press("Sign in again")
	b.find("the dialog", `//dialog[@open]//h2[normalize-space()="Sign in to Garmin again"]`)
	b.wantFocus("relink-garmin-password")
	if got := evaluate[string](b, `document.getElementById("relink-garmin-email").value`); got != "sms@garmin.example" {
		b.t.Errorf("the e-mail is %q", got)
	}
	b.inspect("relink above settings")
	b.fill("Garmin password", "not the password")
	b.press("Sign in to Garmin")
	b.sheetSays("Garmin did not accept this e-mail and password")
	b.inspect("wrong password above settings")
	b.fill("Garmin password", garmintest.DemoPassword)
	b.press("Sign in to Garmin")
	b.sheetSays("Code from Garmin")
	b.wantFocus("relink-code")
	second.prompted(promptCode)
	b.inspect("code above settings")
	b.typeCode(wrongCode)
	b.sheetSays("That was not the right code.")
	b.typeCode(garmintest.DemoCode)
	b.sheetSays("Your Garmin account is linked.")
	b.inspect("repaired above settings")
	second.unprompted()
	b.unprompted()
	b.press("Go on")
	b.do("wait for the focus to go back", chromedp.WaitVisible(chromedp.CSS("#new-password:focus")))
	if got := evaluate[string](b, typed); got != "half-typed new-password" {
		b.t.Errorf("typed, focused: %q", got)
	}
	b.wantPath("/settings")
	b.s.wantState(b.user, "active")
}

// closes sees that whoever looks what the prompt wants, and leaves it, is where
// he was.
func (b *tab) closes() {
	b.t.Helper()
	evaluate[int](b, "scrollTo(0, document.body.scrollHeight); 0")
	before := evaluate[string](b, place)
	b.press("Sign in again")
	b.find("the dialog", "//dialog[@open]//form")
	b.do("leave", chromedp.KeyEvent(kb.Escape))
	b.do("wait for the focus to go back", chromedp.WaitVisible(chromedp.CSS("#prompt a:focus")))
	b.do("wait for what was typed to go", chromedp.WaitNotPresent("//dialog//form"))
	if now := evaluate[string](b, place); now != before {
		b.t.Errorf("the page was at %s, and is at %s", before, now)
	}
}

// The need for a relink may go while its code is awaited: the dialog hears of it
// once, and then leaves alone what is typed.
func showPromptWithdrawn(b *tab) {
	b.signIn()
	b.linkFirst("sms")
	b.see(headCode)
	b.typeCode(garmintest.DemoCode)
	b.see(headActive)
	b.endsIn("'1 day'")
	b.heardOf("/settings", b.open)
	b.prompted("Reconnect within 24 hours")
	b.press("Sign in again")
	b.fill("Garmin password", garmintest.DemoPassword)
	b.press("Sign in to Garmin")
	b.sheetSays("Code from Garmin")
	b.endsIn("NULL")
	sheets, _ := b.s.door.count("GET /link")
	evaluate[int](b, `document.getElementById("relink-code").className = "former"; 0`)
	b.asksNow()
	b.unprompted()
	b.do("wait for the form to come anew", chromedp.WaitNotPresent(chromedp.CSS(".former")))
	b.fill("Code from Garmin", "12")
	b.asksNow()
	b.asksNow()
	if got := evaluate[string](b, `document.getElementById("relink-code").value`); got != "12" {
		b.t.Errorf("of the code is left %q", got)
	}
	if now, _ := b.s.door.count("GET /link"); now != sheets+1 {
		b.t.Errorf("the dialog was asked for %d times", now-sheets)
	}
}

// endsIn moves the end of the session, as a refresh may.
func (b *tab) endsIn(interval string) {
	b.t.Helper()
	const move = "UPDATE garmin_authentication_states SET session_ends_at = app_now() + CAST("
	if _, err := b.s.db.Pool.Exec(b.t.Context(), move+interval+" AS interval)"); err != nil {
		b.t.Fatal(err)
	}
}

// asksNow lets the page look at its prompt, as when it is seen again.
func (b *tab) asksNow() {
	b.t.Helper()
	asked := b.asks()
	b.seen(false)
	b.seen(true)
	b.s.door.await(b.t, "GET /link/prompt", asked+1)
}

// In whatever language, its buttons are within it, and the end of the page can be
// scrolled out from under it.
func showPromptInAllLanguages(b *tab) {
	b.signIn()
	b.linkFirst("plain")
	b.see(headActive)
	b.s.garmin.RevokeAccount("plain@garmin.example")
	b.elsewhere().post("/link/validate").wantProblem("Garmin no longer accepts the link")
	const wrong = `((bar) => [...document.querySelectorAll(".bar a, .bar button")].map((e) => e.getBoundingClientRect())
		.filter((e) => e.right > bar.right || e.left < bar.left).map((e) => e.left + " to " + e.right + " in " + bar.width)
		.concat(innerHeight - bar.top > parseFloat(getComputedStyle(document.body).marginBlockEnd) ? ["covers " + (innerHeight - bar.top)] : [])
	)(document.querySelector(".bar").getBoundingClientRect())`
	for _, l := range views.Languages {
		if _, err := b.s.db.Pool.Exec(b.t.Context(), "UPDATE users SET language = $1", l.Tag); err != nil {
			b.t.Fatal(err)
		}
		for _, width := range []int64{320, 390, 640, 1280} {
			b.resize(width, 700)
			b.open("/settings")
			if found := evaluate[[]string](b, wrong); len(found) > 0 {
				b.t.Errorf("%s, %d px: %s", l.Tag, width, strings.Join(found, "; "))
			}
		}
	}
}

// A prompt comes by the next replica, once the page's own has ended; it can be
// put off until the next page, and goes with the sign-in.
func showPromptPutOff(b *tab) {
	b.signIn()
	b.linkFirst("plain")
	b.see(headActive)
	b.heardOf("/settings", b.open)
	other := b.s.replica()
	b.s.door.lead(other.addr)
	asked, streams := b.asks(), 0
	streams, _ = b.s.door.count("GET /link/changes")
	b.replica.ask(b.t, syscall.SIGTERM)
	if code := b.replica.exit(b.t); code != exitOK {
		b.t.Errorf("exit code %d:\n%s", code, b.replica.log)
	}
	b.s.door.await(b.t, "GET /link/changes", streams+1)
	b.s.door.await(b.t, "GET /link/prompt", asked+1)

	b.dies("plain", other)
	b.closes()
	b.press("Later")
	b.do("wait for the prompt to hide", chromedp.WaitNotVisible(chromedp.ID("prompt-title")))
	b.open("/history")
	b.prompted(promptEnded)
	b.open("/link")
	b.see(headReauth)
	if evaluate[bool](b, `document.getElementById("prompt-title").checkVisibility()`) {
		b.t.Error("the page that asks for itself is prompted, too")
	}

	b.open("/history")
	b.prompted(promptEnded)
	second := b.another("/settings")
	second.press("Sign out")
	second.read("You are signed out.")
	b.later(time.Minute)
	b.seen(true)
	b.do("wait for the prompt to go", chromedp.WaitNotPresent(chromedp.ID("prompt")))
	streams, _ = b.s.door.count("GET /link/changes")
	b.seen(false)
	b.seen(true)
	evaluate[int](b, `fetch("/healthz"); 0`)
	b.s.door.await(b.t, "GET /healthz", 1)
	if now, _ := b.s.door.count("GET /link/changes"); now != streams {
		b.t.Error("who is signed out still hears of changes")
	}
}

// Without scripts the page itself asks, and leads to where the link is repaired.
func showPromptAtOnce(b *tab) {
	b.signIn()
	b.linkFirst("plain")
	b.see(headActive)
	b.s.garmin.RevokeAccount("plain@garmin.example")
	b.elsewhere().post("/link/validate").wantProblem("Garmin no longer accepts the link")
	b.open("/settings")
	b.prompted(promptEnded)
	b.inspect("prompt without scripts")
	b.press("Sign in again")
	b.see(headReauth)
	b.fill("Garmin password", garmintest.DemoPassword)
	b.press("Sign in to Garmin")
	b.see(headActive)
}
