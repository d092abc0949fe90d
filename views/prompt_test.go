package views_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/garminlink/garminlink/views"
)

var prompts = map[string]struct {
	views.Prompt
	says string
}{
	"nothing":        {views.Prompt{}, ""},
	"ended":          {views.Prompt{State: views.ReauthNeeded}, "Sign in to Garmin againYour link no longer works, and no new data come in.Sign in again Later"},
	"ends soon":      {views.Prompt{State: views.Active, Reconnect: views.By(now.Add(24*time.Hour), now)}, "Reconnect within 24 hoursGarmin’s access ends then. Your data stay.Sign in again Later"},
	"code":           {views.Prompt{State: views.MFAPending}, "Garmin waits for your codeType it here, and your link goes on.Enter the code Later"},
	"asked just now": {views.Prompt{State: views.ReauthNeeded, Asking: &views.Asking{Seconds: 8}}, "Sign in to Garmin againYour link no longer works, and no new data come in.Asking Garmin for 8 seconds now.Sign in again Later"},
}

// prompted is a page of somebody who may have a link.
func prompted(t *testing.T, p views.Prompt, v views.View) *html.Node {
	t.Helper()
	c := chrome
	c.Prompt = &p
	return render(t, views.Whole(c, v))
}

func TestPromptStandsInEveryPage(t *testing.T) {
	t.Parallel()
	for name, p := range prompts {
		doc := prompted(t, p.Prompt, pages["history"])
		if got := text(one(t, doc, with("id", "prompt"))); got != p.says {
			t.Errorf("%s: it says %q", name, got)
		}
		for rule, holds := range rules {
			t.Run(name+"/"+rule, func(t *testing.T) { holds(t, doc) })
		}
	}
}

func TestPromptLeadsOnWithoutScripts(t *testing.T) {
	t.Parallel()
	bar := one(t, prompted(t, prompts["ended"].Prompt, pages["history"]), with("id", "prompt"))
	if to := attr(one(t, bar, tag("a")), "href"); to != "/link" {
		t.Errorf("it leads to %q", to)
	}
	if later := one(t, bar, tag("button")); !having("hidden")(later) || !having("data-scripted")(later) {
		t.Errorf("without scripts it offers %s", source(later))
	}
}

func TestGuestsAreNotPrompted(t *testing.T) {
	t.Parallel()
	if found := all(render(t, views.Whole(chrome, pages["history"])), with("id", "prompt")); len(found) > 0 {
		t.Errorf("who has no link of his own here gets %s", source(found[0]))
	}
}

// A page that asks by itself must not be asked for twice.
func TestPagesThatAskByThemselves(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"reauth needed": true, "code by e-mail": true, "not linked": true, "hand-off": true, "import": true,
		"active": false, "history": false,
	} {
		if got := having("data-asks")(one(t, drawn(t, name), tag("h1"))); got != want {
			t.Errorf("%s: it asks %t, want %t", name, got, want)
		}
	}
}

// sheet is what the dialog shows, in a document with a page of the same kind below.
func sheet(t *testing.T, v views.View) *html.Node {
	t.Helper()
	var page, part bytes.Buffer
	c := chrome
	c.Prompt = &views.Prompt{State: views.ReauthNeeded}
	if err := views.Whole(c, pages["active"]).Render(context.Background(), &page); err != nil {
		t.Fatal(err)
	}
	if err := views.Sheet(c, v).Render(context.Background(), &part); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(part.String(), "<title") || strings.Contains(part.String(), "<h1") {
		t.Errorf("the part changes the page around it: %s", part.String())
	}
	before, after, found := strings.Cut(page.String(), `hx-trigger="refresh" hx-nonce="`+chrome.Nonce+`">`)
	if !found {
		t.Fatalf("no place for the part in:\n%s", page.String())
	}
	doc, err := html.Parse(strings.NewReader(before + `hx-trigger="refresh" hx-nonce="` + chrome.Nonce + `">` + part.String() + after))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestSheetLivesBesideThePageBelow(t *testing.T) {
	t.Parallel()
	for name, says := range map[string]string{
		"reauth needed":      "Garmin no longer accepts the session.",
		"relink faulty":      "Garmin password",
		"code by e-mail":     "Code from Garmin",
		"code wrong":         "attempts left",
		"candidate":          "Use the new account",
		"reauth turned away": "turned the last sign-in away",
		"active":             "Mara Lindqvist",
		"not linked":         "There is no link to repair.",
		"problem":            "Garmin asks us to wait",
	} {
		view, known := pages[name]
		if !known {
			t.Fatalf("no page is called %s", name)
		}
		doc := sheet(t, view)
		dialog := one(t, doc, tag("dialog"))
		if !strings.Contains(text(dialog), says) {
			t.Errorf("%s: it says %q", name, text(dialog))
		}
		for _, f := range all(dialog, tag("form")) {
			if attr(f, "hx-target") != "#"+views.SheetID {
				t.Errorf("%s: the answer goes to %q", name, attr(f, "hx-target"))
			}
		}
		for _, a := range all(dialog, tag("a")) {
			if strings.Contains(attr(a, "href"), "/handoff") && attr(a, "target") != "_blank" {
				t.Errorf("%s: %s leaves the page below", name, source(a))
			}
		}
		for _, rule := range []string{
			"nothing is inline", "htmx obeys only nonced elements", "every form works without JavaScript", "every field has a label",
			"descriptions and headings that exist", "an invalid field says why", "no password ever stands in a page",
		} {
			t.Run(name+"/"+rule, func(t *testing.T) { rules[rule](t, doc) })
		}
	}
}
