package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// habits are what people do to pages besides what pages are made for.
var habits = []struct {
	name  string
	looks []look
	show  func(*tab)
}{
	{"tests hear complaints", []look{desktopLight}, showComplaintsAreHeard},
	{"double click", []look{phoneLight, desktopLight.withoutScripts()}, showDoubleClick},
	{"back after linking", []look{phoneDark, desktopLight.withoutScripts()}, showBack},
	{"narrow and zoomed", []look{phoneLight, desktopDark.withoutScripts()}, showNarrow},
	{"bad fields", []look{desktopDark, phoneLight.withoutScripts()}, showBadFields},
	{"countdown", []look{phoneDark}, showCountdown},
	{"time is up", []look{phoneLight}, showTimeUp},
	{"another code", []look{phoneLight, desktopDark.withoutScripts()}, showResend},
	{"page left open", []look{desktopLight}, showPageLeftOpen},
	{"death elsewhere", []look{desktopLight}, showDeathElsewhere},
	{"prompt", []look{phoneLight, desktopDark}, showPrompt},
	{"prompt withdrawn", []look{desktopLight}, showPromptWithdrawn},
	{"prompt in all languages", []look{phoneLight}, showPromptInAllLanguages},
	{"prompt put off", []look{desktopLight}, showPromptPutOff},
	{"prompt at once", []look{phoneDark.withoutScripts()}, showPromptAtOnce},
	{"hidden page", []look{phoneLight}, showHiddenPage},
	{"polling", []look{desktopLight}, showPolling},
	{"signed out elsewhere", []look{phoneLight, desktopLight.withoutScripts()}, showSignedOutElsewhere},
	{"server gone", []look{desktopLight}, showServerGone},
	{"replica gone", []look{phoneLight}, showReplicaGone},
	{"password shown", []look{phoneLight}, showPasswordShown},
	{"hand-off in a frame", []look{phoneLight, desktopDark}, func(b *tab) { b.signIn(); walkHandoffInAFrame(b) }},
	{"keyboard alone", []look{desktopLight, desktopDark.withoutScripts()}, showKeyboardAlone},
	{"prompt by keyboard", []look{desktopDark}, showPromptByKeyboard},
	{"reduced motion", []look{phoneLight}, showReducedMotion},
	{"reload", []look{phoneDark, desktopLight.withoutScripts()}, showReload},
}

// What wantSilence rests on.
func showComplaintsAreHeard(b *tab) {
	b.noisy = true
	b.open("/")
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	defer elsewhere.Close()
	for _, c := range []struct{ script, complaint string }{
		{`console.error("planted")`, "planted"},
		{`console.warn("warned")`, "warned"},
		{`setTimeout(() => { throw new Error("thrown") })`, "Uncaught"},
		{`document.body.append(document.createElement("style"))`, "Content Security Policy"},
		{`fetch("` + elsewhere.URL + `").catch(() => {})`, "Content Security Policy"},
		{`document.images[0].src = "` + elsewhere.URL + `/x.png"`, "Content Security Policy"},
		{`try { document.body.setAttribute("onclick", "0") } catch {}`, "TrustedScript"},
	} {
		evaluate[int](b, c.script+"; 0")
		b.hear(c.complaint)
	}
	b.do("leave", chromedp.Navigate(elsewhere.URL))
	b.hear("asked elsewhere: " + elsewhere.URL)
}

// hear waits for a complaint, and forgets those so far.
func (b *tab) hear(want string) {
	b.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		evaluate[int](b, "0") // what happened before is heard before the answer
		if heard := strings.Join(b.heard(), "\n"); strings.Contains(heard, want) {
			return
		}
	}
	b.t.Errorf("nothing like %q was heard", want)
}

func showDoubleClick(b *tab) {
	b.signIn()
	b.see(headNotLinked)
	b.fill("Garmin e-mail", "mfa@garmin.example")
	b.fill("Garmin password", garmintest.DemoPassword)
	release := b.s.garmin.Hold(garmintest.OpLogin)
	b.do("double click", chromedp.DoubleClick(button("Link Garmin account"), chromedp.NodeVisible))
	b.s.awaitGarmin(garmintest.OpLogin, 1)
	if b.look.scripts {
		b.find("the busy button", `//form[@aria-busy]//span[normalize-space()="Asking Garmin…"]`)
		b.inspect("busy")
	}
	release()
	b.see(headCode)
	b.s.wantCalls(garmintest.OpLogin, 1)
	if sent, _ := b.s.door.count("POST /link"); b.look.scripts && sent != 1 {
		b.t.Errorf("the form was sent %d times", sent)
	}
}

func showBack(b *tab) {
	b.signIn()
	b.linkFirst("mfa")
	b.see(headCode)
	b.typeCode(garmintest.DemoCode)
	b.see(headActive)
	seen, _ := b.s.door.count("GET /link/mfa")
	evaluate[int](b, "history.back(); 0")
	b.s.door.await(b.t, "GET /link/mfa", seen+1)
	b.do("wait for the code form to go", chromedp.WaitNotPresent(chromedp.ID("code")))
	b.see(headActive)
	b.s.wantEvents(b.user, "code_asked: not_linked -> mfa_pending", "code_accepted: mfa_pending -> active")
}

// A phone, WCAG's reflow at 320 pixels, and a desktop at 200 %.
func showNarrow(b *tab) {
	b.open("/")
	b.atEveryWidth()
	b.open("/signup")
	b.atEveryWidth()
	b.signIn()
	b.see(headNotLinked)
	b.atEveryWidth()
	b.signInAtGarmin("plain", "not the password", "Link Garmin account")
	b.meet("Garmin did not accept this e-mail and password")
	b.atEveryWidth()
	b.signInAtGarmin("sms", garmintest.DemoPassword, "Link Garmin account")
	b.see(headCode)
	b.atEveryWidth()
	b.typeCode(garmintest.DemoCode)
	b.see(headActive)
	b.atEveryWidth()
	b.linkAgain("plain", garmintest.DemoPassword)
	b.see(headCandidate)
	b.atEveryWidth()
	b.open("/nothing")
	b.see("There is no such page")
	b.atEveryWidth()
}

func (b *tab) atEveryWidth() {
	b.t.Helper()
	for _, width := range []int64{390, 320, 640} {
		b.resize(width, 700)
		b.wantNoSidewaysScroll()
	}
	b.resize(b.look.width, b.look.height)
}

func showBadFields(b *tab) {
	b.open("/")
	b.see("Link your Garmin account")
	b.press("Create an account")
	b.see("Create an account")
	b.fill("E-mail", "new@example.com")
	b.fill("Password", "password1234")
	b.press("Create account")
	b.read("It is a well-known password")
	b.inspect("well-known password")
	b.wantFocus("password")
	b.fill("Password", ourPassword+"-new")
	b.press("Create account")
	b.see(headNotLinked)
	b.press("Sign out")
	b.read("You are signed out.")
	b.press("Sign in")
	b.see("Sign in")
	b.fill("E-mail", "new@example.com")
	b.fill("Password", "not the password")
	b.press("Sign in")
	b.meet("Wrong e-mail or password")
	b.wantFocus("section")
}

func showCountdown(b *tab) {
	b.signIn()
	b.s.garmin.Fail(garmintest.OpLogin, garmintest.AddressLimited(90*time.Second), 1)
	b.linkFirst("plain")
	b.meet("Garmin asks us to slow down")
	b.find("the time left", `//*[@id="retry-wait"]/span[starts-with(.,"1:")]`)
	b.later(90 * time.Second)
	b.read("You can try again now.")
	b.inspect("countdown at its end")
}

// later moves the page's own clock.
func (b *tab) later(d time.Duration) {
	b.t.Helper()
	evaluate[int](b, fmt.Sprintf("Date.now = ((now) => () => now() + %d)(Date.now); 0", d.Milliseconds()))
}

func showTimeUp(b *tab) {
	b.signIn()
	b.linkFirst("mfa")
	b.see(headCode)
	b.later(10 * time.Minute)
	b.read("Time is up. Cancel, then start again.")
	if enabled := evaluate[int](b, `document.querySelectorAll("main button:enabled").length`); enabled != 1 {
		b.t.Errorf("%d buttons still work, want Cancel alone", enabled)
	}
	b.do("wait for the button to go", chromedp.WaitVisible(`//button[@disabled][span="Confirm"]`))
	b.inspect("time is up")
	b.press("Cancel")
	b.see(headNotLinked)
}

func showResend(b *tab) {
	b.signIn()
	b.linkFirst("sms")
	b.see(headCode)
	if b.look.scripts {
		b.do("wait for the button to wait", chromedp.WaitVisible(`//button[@disabled][span="Send a new code"]`))
	} else {
		b.press("Send a new code")
		b.meet("A code is on its way")
	}
	b.s.advance(30 * time.Second)
	b.open("/link/mfa")
	b.see(headCode)
	b.press("Send a new code")
	b.read("Garmin is sending a new code.")
	b.inspect("new code")
	b.s.wantCalls(garmintest.OpResend, 1)
}

// What changes elsewhere is told, without touching what is being typed.
func showPageLeftOpen(b *tab) {
	b.signIn()
	b.see(headNotLinked)
	b.fill("Garmin e-mail", "half-typed")
	b.elsewhere().link("plain").wantRedirect("/link")
	b.read("This changed after the page was loaded.")
	b.inspect("changed elsewhere")
	b.wantFocus("garmin-email")
	if got := evaluate[string](b, `document.getElementById("garmin-email").value`); got != "half-typed" {
		b.t.Errorf("the field holds %q", got)
	}
	b.press("Show what is there now")
	b.see(headActive)
}

func showSignedOutElsewhere(b *tab) {
	b.signIn()
	b.linkFirst("plain")
	b.see(headActive)
	if _, err := b.s.db.Pool.Exec(b.t.Context(), "UPDATE sign_ins SET ended_at = app_now()"); err != nil {
		b.t.Fatal(err)
	}
	b.press("Check now")
	b.see("Sign in")
	b.wantPath("/signin")
	b.fill("E-mail", ourUser)
	b.fill("Password", ourPassword)
	b.press("Sign in")
	b.see(headActive)
}

// The answer to a form may get lost on its way: the page must say so, and stay.
func showServerGone(b *tab) {
	b.signIn()
	b.linkFirst("plain")
	b.see(headActive)
	b.noisy = true
	b.s.door.CloseClientConnections() // the stream's would be waited for
	b.s.door.Close()
	b.press("Check now")
	b.find("that the answer is lost", `//*[@id="lost"][contains(normalize-space(),"The answer did not arrive.")]`)
	b.inspect("answer lost")
	b.see(headActive)
}

// A proxy answers in the replica's place, with a page that is not ours.
func showReplicaGone(b *tab) {
	b.signIn()
	b.linkFirst("plain")
	b.see(headActive)
	b.noisy = true
	b.replica.kill()
	b.press("Check now")
	b.find("that the answer is lost", `//*[@id="lost"][contains(normalize-space(),"The answer did not arrive.")]`)
	b.see(headActive)
}

func showPasswordShown(b *tab) {
	b.signIn()
	b.see(headNotLinked)
	b.fill("Garmin e-mail", "plain@garmin.example")
	b.fill("Garmin password", garmintest.DemoPassword)
	const kind = `document.getElementById("garmin-password").type`
	b.do("show", chromedp.Click(`//button[@data-reveals="garmin-password"]`, chromedp.NodeVisible))
	if got := evaluate[string](b, kind); got != "text" {
		b.t.Errorf("the field is of type %s", got)
	}
	b.inspect("password shown")
	release := b.s.garmin.Hold(garmintest.OpLogin)
	b.press("Link Garmin account")
	b.s.awaitGarmin(garmintest.OpLogin, 1)
	if got := evaluate[string](b, kind); got != "password" {
		b.t.Errorf("the field is sent as type %s: browsers remember it", got)
	}
	release()
	b.see(headActive)
}
