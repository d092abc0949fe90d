package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

const (
	headGuestLinked = "Your Garmin account is linked"
	headHost        = "Back at Pace"
	headOver        = "This address has served its time"
)

// guests are what users do whom a host application has sent.
var guests = []struct {
	name  string
	looks []look
	walk  func(*tab, *hostApp)
}{
	{"link with a code", []look{phoneLight, phoneDark.withoutScripts()}, walkGuestCode},
	{"hand-off in a frame", []look{phoneLight}, walkGuestHandoff},
	{"relink", []look{desktopLight, phoneLight.withoutScripts()}, walkGuestRelink},
	{"cancel", []look{phoneDark, desktopDark.withoutScripts()}, walkGuestCancel},
	{"too late", []look{desktopDark, phoneLight.withoutScripts()}, walkGuestLate},
	{"address used elsewhere", []look{phoneLight}, walkGuestElsewhere},
	{"address passed on", []look{phoneLight}, walkGuestVictim},
}

func TestGuestsInABrowser(t *testing.T) {
	t.Parallel()
	browser := chromium(t)
	for _, g := range guests {
		for _, l := range inAll(g.looks) {
			t.Run(g.name+"/"+l.name, func(t *testing.T) {
				t.Parallel()
				h := newHostApp(t)
				b := openTab(t, browser, l, "RETURN_URLS="+h.URL)
				b.host = h.URL
				h.register(b.s)
				g.walk(b, h)
			})
		}
	}
}

// come opens the address at which the host has sent its user, and goes on.
func (b *tab) come(session connectSession, heading string) {
	b.t.Helper()
	b.user = uuid.MustParse(session.User)
	b.open(strings.TrimPrefix(session.URL, b.s.door.URL))
	b.see(heading)
	b.press("Continue")
	b.find("the way to give up", `//form[@action="/connect/leave"]`)
	b.see(heading)
	b.wantPath("/connect")
}

// wantBack waits for the host to say what came of it.
func (b *tab) wantBack(said string) {
	b.t.Helper()
	b.see(headHost)
	b.read(said)
	b.wantPath("/back")
}

func walkGuestCode(b *tab, h *hostApp) {
	b.come(h.send("runner-42", "link"), headNotLinked)
	b.read("Pace asks you to link a Garmin account for")
	b.signInAtGarmin("mfa", garmintest.DemoPassword, "Link Garmin account")
	b.see(headCode)
	b.wantPath("/connect/mfa")
	b.typeCode(wrongCode)
	b.read("That was not the right code.")
	b.typeCode(garmintest.DemoCode)
	b.wantBack("200 completed")
	b.s.wantState(b.user, "active")
	b.open("/connect")
	b.see(headOver)
	b.press("Go back to Pace")
	b.wantBack("200 completed")
	h.wantUnlogged(b.cookies()...)
}

func walkGuestHandoff(b *tab, h *hostApp) {
	b.come(h.send("runner-42", "link"), headNotLinked)
	b.press(headHandoff)
	b.see(headHandoff)
	b.wantPath("/connect/handoff")
	b.atGarmin.Store(true)
	b.press("Sign in here")
	b.atGarmins(b.frame, "mfa")
	b.see(headGuestLinked)
	b.read("Max Mail")
	b.s.wantState(b.user, "not_linked")
	b.press("Go back to Pace")
	b.wantBack("200 completed")
	b.s.wantState(b.user, "active")
}

func walkGuestRelink(b *tab, h *hostApp) {
	b.come(h.send("runner-42", "link"), headNotLinked)
	b.signInAtGarmin("plain", garmintest.DemoPassword, "Link Garmin account")
	b.wantBack("200 completed")
	b.s.advance(time.Minute)

	b.s.garmin.Add(garmintest.Account{Email: "other@garmin.example", Password: garmintest.DemoPassword, FullName: "Olga Other"})
	b.come(h.send("runner-42", "relink"), headReauth)
	b.read("no other Garmin account will do")
	b.signInAtGarmin("other", garmintest.DemoPassword, "Link Garmin account")
	b.meet("That is another Garmin account")
	b.s.wantState(b.user, "active")
	b.signInAtGarmin("plain", garmintest.DemoPassword, "Link Garmin account")
	b.wantBack("200 completed")
}

func walkGuestCancel(b *tab, h *hostApp) {
	b.come(h.send("runner-42", "link"), headNotLinked)
	b.signInAtGarmin("sms", garmintest.DemoPassword, "Link Garmin account")
	b.see(headCode)
	b.press("Cancel")
	b.see(headNotLinked)
	b.press("Cancel, and go back to Pace")
	b.wantBack("error: cancelled")
	b.s.wantState(b.user, "not_linked")
}

func walkGuestLate(b *tab, h *hostApp) {
	session := h.send("runner-42", "link")
	b.come(session, headNotLinked)
	b.s.advance(31 * time.Minute)
	b.signInAtGarmin("plain", garmintest.DemoPassword, "Link Garmin account")
	b.see(headOver)
	b.s.wantCalls(garmintest.OpLogin, 0)
	b.press("Go back to Pace")
	b.wantBack("error: expired")
}

func walkGuestElsewhere(b *tab, h *hostApp) {
	session := h.send("runner-42", "link")
	path := strings.TrimPrefix(session.URL, b.s.door.URL)
	first := b.s.stranger()
	first.post(path, "browser", first.get(path).value("browser")).wantRedirect("/connect")
	b.open(path)
	b.see(headNotLinked)
	b.press("Continue")
	b.meet("This address was used elsewhere")
	b.open("/connect")
	b.see("This page needs an address that was sent to you")
	first.get("/connect").want(http.StatusOK)
}

// A sender passes his own address on to a victim, who links his account. He
// comes back to the host in the victim's browser, where nobody has that state:
// nothing is completed, and the sender gets nothing.
func walkGuestVictim(b *tab, h *hostApp) {
	session := h.send("sender", "link")
	h.send("victim", "link") // the host's state in this browser is the victim's own
	b.come(session, headNotLinked)
	b.read("sender")
	b.signInAtGarmin("plain", garmintest.DemoPassword, "Link Garmin account")
	b.wantBack("not whom we sent")
	b.s.wantState(b.user, "not_linked")
	b.s.advance(time.Hour)
	b.s.wantState(b.user, "not_linked")
}

// cookies are the values of all that this browser keeps of ours.
func (b *tab) cookies() (values []string) {
	b.t.Helper()
	b.do("go to our pages", chromedp.Navigate(b.s.door.URL+"/healthz"))
	for _, c := range ask(b, network.GetCookies, network.GetCookiesParams{}).Cookies {
		values = append(values, c.Value)
	}
	if len(values) == 0 {
		b.t.Error("the browser keeps no cookie of ours")
	}
	return values
}
