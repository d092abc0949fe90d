package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

const (
	headHandoff = "Sign in on Garmin’s own page"
	headImport  = "Use a session that you have"
	headExport  = "Take a copy of the session"
)

// atGarmins signs in on Garmin's own page, in another tab or in a frame, which
// each of its pages attaches to anew. Keys cannot be typed into a frame of
// another site, so its fields are filled in.
func (b *tab) atGarmins(page func() context.Context, account string) {
	b.t.Helper()
	b.fillIn(page(), "username", account+"@garmin.example", "password", garmintest.DemoPassword)
	b.s.awaitGarmin(garmintest.OpCodePage, 1)
	b.fillIn(page(), "mfa-code", garmintest.DemoCode)
}

// fillIn waits for a form of Garmin's with these fields, and sends it.
func (b *tab) fillIn(ctx context.Context, fields ...string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	script := fmt.Sprintf(`(() => {
		const form = document.querySelector("[name=%s]")?.form;
		if (form === undefined || document.readyState !== "complete") return false;`, fields[0])
	for i := 0; i < len(fields); i += 2 {
		script += fmt.Sprintf(`form.elements[%q].value = %q;`, fields[i], fields[i+1])
	}
	script += `form.requestSubmit(); return true })()`
	for ctx.Err() == nil {
		// While the page goes on, there is nowhere to evaluate.
		if sent, err := chromedp.Run(ctx, chromedp.EvaluateAsDevTools[bool](script)); err == nil && sent {
			return
		}
	}
	b.t.Fatalf("Garmin's page has no field %s", fields[0])
}

// otherTab opens where a link of the page leads to.
func (b *tab) otherTab(label string) context.Context {
	b.t.Helper()
	const href = `document.evaluate(LABEL, document, null, XPathResult.FIRST_ORDERED_NODE_TYPE).singleNodeValue.href`
	address := evaluate[string](b, strings.Replace(href, "LABEL", "`"+button(label)+"`", 1))
	b.atGarmin.Store(true)
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		b.t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil {
		b.t.Fatalf("%s: %v", address, err)
	}
	return ctx
}

// endOf is the address at which Garmin's page ends.
func (b *tab) endOf(garmins context.Context) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(garmins, patience)
	defer cancel()
	for ctx.Err() == nil {
		// While the page goes on, it has no address to tell.
		if address, err := chromedp.Run(ctx, chromedp.Location()); err == nil && strings.Contains(address, "ticket=") {
			return address
		}
	}
	b.t.Fatal("Garmin's page does not end with a ticket")
	return ""
}

// frame attaches to the frame of Garmin's page.
func (b *tab) frame() context.Context {
	b.t.Helper()
	b.find("the frame", `//iframe`)
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	ours := chromedp.FromContext(b.ctx).BrowserContextID
	for {
		targets, err := chromedp.Targets(ctx)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, t := range targets {
			if t.Type == "iframe" && strings.HasPrefix(t.URL, "https://sso.garmin.") && t.BrowserContextID == ours {
				frame, cancel := chromedp.NewContext(b.ctx, chromedp.WithTargetID(t.TargetID))
				b.t.Cleanup(cancel)
				return frame
			}
		}
	}
}

func walkHandoffByAddress(b *tab) {
	b.see(headNotLinked)
	b.press(headHandoff)
	b.see(headHandoff)
	garmins := b.otherTab("Open Garmin’s page")
	b.atGarmins(func() context.Context { return garmins }, "mfa")
	ended := b.endOf(garmins)
	b.fill("Address at which Garmin’s page ended", "https://connect.garmin.com/modern/?ticket=ST-1-x")
	b.press("Link with this address")
	b.read("That address does not come from the page that we open")
	b.inspect("foreign address")
	b.fill("Address at which Garmin’s page ended", ended)
	b.press("Link with this address")
	b.see(headActive)
	b.wantPath("/link")
	b.read("Max Mail")
	b.press("Not me: unlink this account")
	b.see(headNotLinked)
}

func walkHandoffInAFrame(b *tab) {
	b.see(headNotLinked)
	b.press(headHandoff)
	b.see(headHandoff)
	b.atGarmin.Store(true)
	b.press("Sign in here")
	b.atGarmins(b.frame, "mfa")
	b.see(headActive)
	b.wantPath("/link")
	b.read("Max Mail")
	b.s.wantEvents(b.user, "login_done: not_linked -> active")
	b.s.wantCalls(garmintest.OpExchange, 1)
}

func walkImportAndCopy(b *tab) {
	b.see(headNotLinked)
	b.press(headImport)
	b.see(headImport)
	b.fill("Session", "this is no session")
	b.press("Link with this session")
	b.read("This is neither JSON nor")
	b.inspect("no session")
	b.fill("Session", dumps(b.t, b.s.session("plain", garmin.RegionGlobal)))
	b.press("Link with this session")
	b.see(headActive)
	b.wantPath("/link")
	b.read("Pia Plain")
	b.s.advance(time.Minute)
	b.press(headExport)
	b.see(headExport)
	b.fill("Password", "not the password")
	b.press("Download")
	b.read("Type the password with which you sign in here")
	b.inspect("wrong password")
	b.fill("Password", ourPassword)
	b.press("Download")
	b.s.door.await(b.t, "POST /link/export", 2)
	b.press("Back to your link")
	b.see(headActive)
}

func walkBlocked(b *tab) {
	b.s.garmin.Fail(garmintest.OpLogin, garmintest.EdgeBlocked, 1)
	b.linkFirst("plain")
	b.meet("Garmin’s guard turned our server away")
	b.press("With e-mail and password")
	b.fill("Garmin password", garmintest.DemoPassword)
	b.press("Link Garmin account")
	b.see(headActive)
}
