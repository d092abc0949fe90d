package main

import (
	"fmt"
	"syscall"
	"time"
)

// listens waits until the page on show has opened a stream, and that has told it
// to look.
func (b *tab) listens() {
	b.t.Helper()
	b.s.door.await(b.t, "GET /link/changes", 1)
	b.s.door.await(b.t, "GET /link/status", 1)
}

// elsewhere is the same user in another browser.
func (b *tab) elsewhere() *visitor {
	b.t.Helper()
	v := b.s.stranger()
	v.email = ourUser
	v.signIn()
	return v
}

// wantSoon checks that no more than two seconds have passed since something
// happened to the link.
func (b *tab) wantSoon() {
	b.t.Helper()
	const sinceEvent = "SELECT extract(epoch FROM app_now() - max(created_at))::float8 FROM link_events WHERE user_id = $1"
	late := stored[float64](b.s, sinceEvent, b.user)
	b.t.Logf("the page says so within %.2f s", late)
	if late > 2 {
		b.t.Errorf("the page says so after %.2f s", late)
	}
}

func (b *tab) badge(text string) {
	b.t.Helper()
	b.find("the badge "+text, fmt.Sprintf(`//*[@id="status"]//*[contains(@class,"badge")][normalize-space()=%q]`, text))
}

// A link dies by what one replica does; the page that another serves says so,
// and leaves what is being typed alone. When its replica ends, it hears from
// the next.
func showDeathElsewhere(b *tab) {
	b.signIn()
	b.linkFirst("plain")
	b.see(headActive)
	b.listens()
	b.press("Sign in to Garmin again")
	b.fill("Garmin password", "half-typed")
	other := b.s.replica()
	b.s.door.lead(b.replica.addr)

	b.s.garmin.RevokeAccount("plain@garmin.example")
	v := b.elsewhere().at(other)
	v.post("/link/validate").wantProblem("Garmin no longer accepts the link")
	b.badge("Sign-in needed")
	b.wantSoon()
	b.prompted(promptEnded)
	b.inspect("died elsewhere")
	b.wantFocus("garmin-password")
	const left = `document.getElementById("garmin-password").value + "|" + document.getElementById("announcer").textContent`
	if got := evaluate[string](b, left); got != "half-typed|"+promptEnded+". Your link no longer works, and no new data come in." {
		b.t.Errorf("what was typed, and said: %q", got)
	}

	b.s.door.lead(other.addr)
	asked := time.Now()
	b.replica.ask(b.t, syscall.SIGTERM)
	if code := b.replica.exit(b.t); code != exitOK || time.Since(asked) > drainPause+5*time.Second {
		b.t.Errorf("exit code %d after %s:\n%s", code, time.Since(asked), b.replica.log)
	}
	v.link("plain").wantRedirect("/link")
	b.badge("Active")
}

// Streams are for pages that are seen.
func showHiddenPage(b *tab) {
	b.signIn()
	b.linkFirst("plain")
	b.see(headActive)
	b.listens()
	b.seen(false)
	b.replica.await(b.t, "request", "route", "/link/changes")
	b.elsewhere().post("/link/unlink", "confirm", "yes").wantRedirect("/link")
	b.seen(true)
	b.badge("Not linked")
	b.s.door.await(b.t, "GET /link/changes", 2)
}

// seen has the page believe that its tab is, or is not, the one in front.
func (b *tab) seen(is bool) {
	b.t.Helper()
	evaluate[int](b, fmt.Sprintf(`Object.defineProperty(document, "hidden", { value: %t, configurable: true });
		document.dispatchEvent(new Event("visibilitychange")); 0`, !is))
}

// Whoever is told need not ask, but now and then: "a minute ago" does not stay
// true.
func showPolling(b *tab) {
	b.signIn()
	b.linkFirst("plain")
	b.see(headActive)
	b.listens()
	polls := func() (n int) {
		n, _ = b.s.door.count("GET /link/status")
		return n
	}
	poll := func() {
		asked, _ := b.s.door.count("GET /healthz")
		evaluate[int](b, `document.getElementById("status").dispatchEvent(new Event("every")); fetch("/healthz"); 0`)
		b.s.door.await(b.t, "GET /healthz", asked+1)
	}
	before := polls()
	for poll(); polls() != before; poll() { // until the first answer is there
		before = polls()
	}
	b.later(3 * time.Minute)
	poll()
	b.s.door.await(b.t, "GET /link/status", before+1)
}
