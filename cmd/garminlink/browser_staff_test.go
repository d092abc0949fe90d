package main

import (
	"strings"

	"github.com/chromedp/chromedp"
)

// walkSupport is what an agent does for one who has called.
func walkSupport(b *tab) {
	b.see(headNotLinked)
	b.s.exec("UPDATE users SET role = 'support' WHERE id = $1", b.user)
	caller := b.s.runner("caller")
	caller.link("plain").wantRedirect("/link")
	b.open("/support")
	b.inspect("overview")
	b.do("search", chromedp.SendKeys(`[role=search] [name=q]`, "call\r"))
	b.await(`main a[href="/support/users/` + caller.id.String() + `"]`)
	b.inspect("found")
	b.wantCSV(caller.email)
	b.click(`main a[href="/support/users/` + caller.id.String() + `"]`)

	forms := "/support/users/" + caller.id.String()
	b.await(`form[action="` + forms + `/note"]`)
	b.unfold()
	b.do("note", chromedp.SendKeys(`[name=note]`, "Called about a new watch."))
	b.press("Add the note")
	b.await("blockquote")
	b.inspect("note")
	b.unfold()
	b.press("Yes, remove the session")
	if b.look.scripts { // browsers see to what is required
		b.await("#why:focus:invalid")
	}
	b.do("reason", chromedp.SendKeys(`[name=why]`, "He asked for it."))
	b.press("Yes, remove the session")
	b.await(`.badge.reauth_needed`)
	b.inspect("removed")
	b.wantPath(forms)
	b.s.wantState(caller.id, "reauth_needed")
	caller.get("/history").wantText("Called about a new watch.", "He asked for it.")
}

// wantCSV reads the table that the page offers.
func (b *tab) wantCSV(email string) {
	b.t.Helper()
	b.letScripts(true)
	defer b.letScripts(b.look.scripts)
	table := promised[string](b, `fetch(document.querySelector("a[download]").href).then((answer) => answer.text())`)
	if strings.Count(table, "\n") != 2 || !strings.Contains(table, email) {
		b.t.Errorf("the table is\n%s", table)
	}
}

// walkSettings changes what there is to change.
func walkSettings(b *tab) {
	b.see(headNotLinked)
	other := b.elsewhere()
	b.open("/settings")
	b.inspect("settings")
	b.click(`form[action="/settings/signins"] [type=submit]`)
	b.await(".notice")
	other.get("/history").want(303)
	b.click(`form[action="/settings/language"] [value=de]`)
	b.click(`form[action="/settings/language"] [type=submit]`)
	b.language = "de"
	b.await(`html[lang=de]`)
	b.open("/settings")
	b.inspect("settings in German")
	b.click(`form[action="/settings/language"] [value=en]`)
	b.click(`form[action="/settings/language"] [type=submit]`)
	b.language = ""
	b.await(`html[lang=en]`)
}

func (b *tab) click(selector string) {
	b.t.Helper()
	b.do("click "+selector, chromedp.Click(selector, chromedp.NodeVisible))
}
