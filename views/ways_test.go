package views_test

import (
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/garminlink/garminlink/views"
)

// linkTo finds the one link with these words.
func linkTo(t *testing.T, n *html.Node, words string) *html.Node {
	t.Helper()
	return one(t, n, tag("a"), func(a *html.Node) bool { return text(a) == words })
}

const ownPage = "Sign in on Garmin’s own page"

func TestOtherWaysStandBesideThePassword(t *testing.T) {
	t.Parallel()
	for name, handoff := range map[string]string{
		"not linked":    "/link/handoff",
		"reauth needed": "/link/handoff?region=garmin.com",
		"active":        "/link/handoff",
		"link faulty":   "/link/handoff?region=garmin.cn",
		"turned away":   "/link/handoff?region=garmin.cn",
	} {
		main := drawn(t, name)
		if got := attr(linkTo(t, main, ownPage), "href"); got != handoff {
			t.Errorf("%s: Garmin's own page is at %q, want %q", name, got, handoff)
		}
		if got := attr(linkTo(t, main, "Use a session that you have"), "href"); got != "/link/import" {
			t.Errorf("%s: import is at %q", name, got)
		}
	}
	if got := attr(linkTo(t, drawn(t, "active"), "Take a copy of the session"), "href"); got != "/link/export" {
		t.Errorf("export is at %q", got)
	}
}

func TestGarminsOwnPageComesFirstWhenWeAreTurnedAway(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"turned away", "relink turned away", "reauth turned away"} {
		main := drawn(t, name)
		button := linkTo(t, main, ownPage)
		if !class("button")(button) {
			t.Errorf("%s: Garmin's own page is no button", name)
		}
		form := one(t, main, tag("form"), with("action", "/link"))
		if all := source(main); strings.Index(all, "/link/handoff") > strings.Index(all, `action="/link"`) {
			t.Errorf("%s: the form comes before Garmin's own page", name)
		}
		if _, open := lookup(form.Parent.Parent, "open"); form.Parent.Parent.Data != "details" || open {
			t.Errorf("%s: the form is not folded", name)
		}
	}
	form := one(t, drawn(t, "turned away, then faulty"), tag("form"), with("action", "/link"))
	if _, open := lookup(form.Parent.Parent, "open"); !open {
		t.Error("the faulty field is folded away")
	}
}

// The policy that lets Garmin's page into a frame belongs to the document.
func TestPagesWithAPolicyOfTheirOwnAreLoadedWhole(t *testing.T) {
	t.Parallel()
	for name := range pages {
		for _, a := range all(drawn(t, name), tag("a")) {
			if _, boosted := lookup(a, "hx-get"); boosted {
				t.Errorf("%s: htmx would follow %s", name, source(a))
			}
		}
	}
}

func TestHandoffLeadsToGarminAndBack(t *testing.T) {
	t.Parallel()
	for name, region := range map[string]string{"hand-off": "garmin.com", "hand-off in China": "garmin.cn"} {
		main := drawn(t, name)
		if got := attr(linkTo(t, main, "Open Garmin’s page"), "href"); got != "https://sso."+region+"/sso/signin?id=gauth-widget" {
			t.Errorf("%s opens %q", name, got)
		}
		form := one(t, main, tag("form"), with("action", "/link/ticket"))
		one(t, form, with("name", "region"), with("value", region))
		one(t, form, with("name", "attempt"), with("value", "0195-form"))
		frame := one(t, main, having("data-frame"))
		if attr(frame, "data-origin") != "https://sso."+region || strings.Contains(attr(frame, "data-sandbox"), "top-navigation") {
			t.Errorf("%s: %s", name, source(frame))
		}
		if _, hidden := lookup(frame.Parent, "hidden"); !hidden {
			t.Errorf("%s offers the frame without scripts", name)
		}
	}
	main := drawn(t, "hand-off")
	says(t, main, "Neither password nor code passes us", "a minute or two", "Never paste an address that somebody sent you")
	one(t, main, tag("a"), with("href", "/link/handoff?region=garmin.cn"))
	one(t, drawn(t, "hand-off in China"), tag("a"), with("href", "/link/handoff?region=garmin.com"))
}

func TestImportSaysThatTheSessionMoves(t *testing.T) {
	t.Parallel()
	says(t, drawn(t, "import"), "The session moves here", "would end both", "check the session out here instead", "oauth2_token.json", "garmin_tokens.json")
}

func TestExportWarns(t *testing.T) {
	t.Parallel()
	main := drawn(t, "export")
	says(t, main, "keep it like a password", "cannot harm your link", "Renewing it elsewhere ends this link", "not the one for Garmin")
	form := one(t, main, tag("form"))
	if _, hx := lookup(form, "hx-post"); hx {
		t.Error("htmx would show the file as a page")
	}
	if len(all(form, with("name", "renewal"), having("checked"))) != 0 {
		t.Error("renewal is offered unasked")
	}
	faulty := drawn(t, "export faulty")
	one(t, faulty, with("value", "garminconnect"), having("checked"))
	one(t, faulty, with("name", "renewal"), having("checked"))
}

func TestWhoIsLinkedIsAskedAfter(t *testing.T) {
	t.Parallel()
	main := drawn(t, "brought")
	says(t, main, "You linked Mara Lindqvist. Not you?")
	for _, form := range all(main, tag("form"), with("action", "/link/unlink")) {
		one(t, form, with("name", "confirm"), with("value", "yes"))
	}
	if strings.Contains(text(drawn(t, "active")), "Not you?") {
		t.Error("every active link is asked after")
	}
}

func TestProgressOfASignIn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		asking views.Asking
		want   string
	}{
		{views.Asking{}, "Asking Garmin."},
		{views.Asking{Seconds: 1}, "Asking Garmin for 1 second now."},
		{views.Asking{Seconds: 8, PauseSeconds: 12}, "Asking Garmin for 8 seconds now. Garmin takes whoever is fast for a robot, " +
			"so we wait as a person would: up to 12 seconds more."},
	} {
		s := status(views.Active)
		s.Asking = &c.asking
		if got := text(one(t, render(t, views.StatusPart(chrome, s)), class("asking"))); got != c.want {
			t.Errorf("%+v: %q, want %q", c.asking, got, c.want)
		}
	}
	if n := len(all(drawn(t, "active"), class("asking"))); n != 0 {
		t.Error("a page tells of a sign-in that nobody began")
	}
}

func TestCandidateWithoutEmail(t *testing.T) {
	t.Parallel()
	main := render(t, views.Part(chrome, views.Link{Status: status(views.Active), Candidate: &views.Candidate{Name: "Jonas", FormerName: "Mara"}}))
	if strings.Contains(text(main), "()") {
		t.Errorf("an e-mail that nobody typed is shown: %s", text(main))
	}
}
