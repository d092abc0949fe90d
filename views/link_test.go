package views_test

import (
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/garminlink/garminlink/views"
)

// Which forms each state offers, in the order of the page.
func TestLinkPageOffersWhatTheStateAllows(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"not linked":     "/link",
		"code by e-mail": "/link/mfa /link/mfa/resend /link/cancel",
		"code from app":  "/link/mfa /link/cancel",
		"candidate":      "/link/replace /link/replace",
		"active":         "/link/validate /link /link/unlink",
		"reauth needed":  "/link /link/unlink",
	} {
		var got []string
		for _, f := range all(drawn(t, name), tag("form")) {
			got = append(got, attr(f, "action"))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s offers %q, want %q", name, got, want)
		}
	}
}

func TestLinkFormKeepsWhatWasEnteredButTheSecret(t *testing.T) {
	t.Parallel()
	form := one(t, drawn(t, "link faulty"), tag("form"))
	if got := attr(one(t, form, with("name", "email")), "value"); got != "mara" {
		t.Errorf("e-mail is %q", got)
	}
	if got := attr(one(t, form, with("name", "region"), having("checked")), "value"); got != "garmin.cn" {
		t.Errorf("region is %q", got)
	}
	one(t, form, with("name", "password"), with("type", "password"))
}

func TestLinkFormIsNoSignInForPasswordManagers(t *testing.T) {
	t.Parallel()
	form := one(t, drawn(t, "not linked"), tag("form"))
	for _, in := range all(form, tag("input"), having("autocomplete")) {
		if hint := attr(in, "autocomplete"); strings.Contains(hint, "username") || strings.Contains(hint, "-password") {
			t.Errorf("%s invites the password of this app: %q", attr(in, "name"), hint)
		}
	}
}

func TestRelinkUnfoldsWhenItFailed(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{"active": 0, "relink faulty": 1} {
		if got := len(all(drawn(t, name), tag("details"), having("open"))); got != want {
			t.Errorf("%s: %d sections are unfolded, want %d", name, got, want)
		}
	}
}

func TestCodeFormNamesItsChallenge(t *testing.T) {
	t.Parallel()
	main := drawn(t, "code by e-mail")
	for _, action := range []string{"/link/mfa", "/link/mfa/resend"} {
		form := one(t, main, tag("form"), with("action", action))
		if got := attr(one(t, form, with("name", "challenge")), "value"); got != "0195-challenge" {
			t.Errorf("%s sends challenge %q", action, got)
		}
	}
	code := one(t, main, with("name", "code"))
	if attr(code, "autocomplete") != "one-time-code" || attr(code, "inputmode") != "numeric" {
		t.Errorf("code field: %s", source(code))
	}
	says(t, main, "by e-mail to m***a@example.com", "5 attempts left", "10 minutes", "Possible in 25 seconds")
	says(t, drawn(t, "code from app"), "1 attempt left", "9 seconds", "authenticator", "former link still works")
}

func TestProblemTakesTheFocusUnlessAFieldIsAtFault(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"link limited", "code unavailable", "sign in wrong"} {
		focus := one(t, drawn(t, name), having("autofocus"))
		if focus.Data != "section" {
			t.Errorf("%s: <%s> takes the focus", name, focus.Data)
		}
	}
	says(t, drawn(t, "link limited"), "On Garmin’s side", "try again in 16 minutes", "0195-reference")
}

func TestCandidateNamesBothAccounts(t *testing.T) {
	t.Parallel()
	main := drawn(t, "candidate")
	says(t, main, "Jonas (jonas@example.com)", "Mara")
	for _, form := range all(main, tag("form")) {
		if attr(one(t, form, with("name", "candidate")), "value") != "12" {
			t.Errorf("answer to another candidate: %s", source(form))
		}
	}
	one(t, main, with("name", "confirm"), with("value", "yes"))
	one(t, main, with("name", "confirm"), with("value", "no"))
}

func TestUnlinkConfirmsAndIsHonest(t *testing.T) {
	t.Parallel()
	form := one(t, drawn(t, "active"), tag("form"), with("action", "/link/unlink"))
	one(t, form, with("name", "confirm"), with("value", "yes"))
	says(t, form, "no known way to revoke", "change your password at Garmin")
}

func TestHostileNamesStayText(t *testing.T) {
	t.Parallel()
	s := status(views.Active)
	s.GarminName = `<script>alert(1)</script><img src=x onerror=alert(1)>`
	doc := render(t, views.Part(chrome, views.Link{Status: s}))
	if len(all(doc, tag("script", "img"))) > 0 {
		t.Error("a Garmin name became markup")
	}
	says(t, doc, s.GarminName)
}

// drawn is the <main> of the page of that name.
func drawn(t *testing.T, name string) *html.Node {
	t.Helper()
	return one(t, render(t, views.Whole(chrome, pages[name])), tag("main"))
}

func says(t *testing.T, n *html.Node, words ...string) {
	t.Helper()
	said := text(n)
	for _, w := range words {
		if !strings.Contains(said, w) {
			t.Errorf("%q is missing in %q", w, said)
		}
	}
}
