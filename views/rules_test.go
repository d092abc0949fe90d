package views_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/garminlink/garminlink/static"
	"github.com/garminlink/garminlink/views"
)

// What holds on every page in every state.
var rules = map[string]func(*testing.T, *html.Node){
	"nothing is inline":                      nothingInline,
	"htmx obeys only nonced elements":        noncedElements,
	"every form works without JavaScript":    plainForms,
	"every field has a label":                labelledFields,
	"descriptions and headings that exist":   referencesResolve,
	"one main, one h1, one title":            outline,
	"at most one element takes the focus":    oneFocus,
	"an invalid field says why":              explainedErrors,
	"every button says what it is":           buttons,
	"what a page loads is served":            assetsServed,
	"no password ever stands in a page":      noPasswordValue,
	"what was pasted never stands in a page": nothingPasted,
	"what opens elsewhere knows nothing":     foreignTabs,
	"the banner says Garmin is simulated":    banner,
	"the signed-in account can sign out":     signOut,
	"countdowns tell the time left in words": countdowns,
}

func TestEveryPage(t *testing.T) {
	t.Parallel()
	for name, page := range pages {
		doc := render(t, views.Whole(chrome, page))
		for rule, holds := range rules {
			t.Run(name+"/"+rule, func(t *testing.T) { holds(t, doc) })
		}
	}
}

// A guest's pages lead nowhere but below their base: what is for owners alone is
// not offered.
func TestPagesOfGuests(t *testing.T) {
	t.Parallel()
	allowed := []string{
		"/connect", "/connect/mfa", "/connect/mfa/resend", "/connect/cancel", "/connect/replace", "/connect/ticket", "/connect/leave",
		"/connect/handoff", "/connect/handoff?region=garmin.com", "/connect/handoff?region=garmin.cn", "/", "#main", "/language",
	}
	for name, page := range guestPages {
		doc := render(t, views.Whole(views.Chrome{Base: "/connect", SignedInID: "0195", Nonce: chrome.Nonce, SimulatedGarmin: true}, page))
		for _, n := range all(doc, tag("form", "a")) {
			to := attr(n, "action") + attr(n, "href")
			if !slices.Contains(allowed, to) && attr(n, "target") != "_blank" {
				t.Errorf("%s leads to %q", name, to)
			}
		}
		for _, n := range all(doc, having("hx-get")) {
			if !strings.HasPrefix(attr(n, "hx-get"), "/connect/status") {
				t.Errorf("%s polls %q", name, attr(n, "hx-get"))
			}
		}
		for rule, holds := range rules {
			if rule != "the signed-in account can sign out" {
				t.Run(name+"/"+rule, func(t *testing.T) { holds(t, doc) })
			}
		}
	}
}

func nothingInline(t *testing.T, doc *html.Node) {
	for _, n := range all(doc) {
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Key, "hx-on") || strings.Contains(a.Val, "javascript:") {
				t.Errorf("<%s> has %s=%q", n.Data, a.Key, a.Val)
			}
		}
	}
	if s := all(doc, tag("style", "iframe", "object", "base")); len(s) > 0 {
		t.Errorf("found <%s>", s[0].Data)
	}
	for _, s := range all(doc, tag("script")) {
		if attr(s, "src") == "" || s.FirstChild != nil || attr(s, "nonce") != chrome.Nonce {
			t.Errorf("script is inline or has another nonce: %s", source(s))
		}
	}
}

func noncedElements(t *testing.T, doc *html.Node) {
	for _, n := range all(doc) {
		hx := slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return strings.HasPrefix(a.Key, "hx-") })
		if hx && attr(n, "hx-nonce") != chrome.Nonce {
			t.Errorf("<%s> has hx- attributes and nonce %q", n.Data, attr(n, "hx-nonce"))
		}
		// An expression would need eval, which the policy forbids.
		if strings.Contains(attr(n, "hx-trigger"), "[") || strings.HasPrefix(attr(n, "hx-vals"), "js:") {
			t.Errorf("htmx would evaluate: %s", source(n))
		}
	}
}

func plainForms(t *testing.T, doc *html.Node) {
	routes := []string{
		"/setup", "/mail/t0ken", "/signin", "/signup", "/signout", "/link", "/link/mfa", "/link/mfa/resend",
		"/link/cancel", "/link/validate", "/link/unlink", "/link/replace",
		"/link/ticket", "/link/import", "/link/export",
		"/connect/its-secret", "/connect", "/connect/mfa", "/connect/mfa/resend", "/connect/cancel",
		"/connect/replace", "/connect/ticket", "/connect/leave",
		"/support/relink",
		"/settings/mails", "/settings/language", "/settings/signins", "/settings/password",
		"/support/tokens", "/support/tokens/revoke",
		"/support/staff", "/support/webhooks/resend", "/support/jobs/pause", "/support/jobs/resume",
		"/support/users/0195-user/check", "/support/users/0195-user/cancel", "/support/users/0195-user/clear", "/support/users/0195-user/note",
	}
	for _, f := range all(doc, tag("form")) {
		if attr(f, "role") == "search" {
			if attr(f, "method") != "get" || attr(f, "action") != "/support/links" {
				t.Errorf("search goes by %s to %q", attr(f, "method"), attr(f, "action"))
			}
			one(t, f, tag("button"), with("type", "submit"))
			continue
		}
		if attr(f, "action") == "/language" {
			continue // each of its buttons is a choice
		}
		if attr(f, "method") != "post" || !slices.Contains(routes, attr(f, "action")) {
			t.Errorf("form goes by %s to %q", attr(f, "method"), attr(f, "action"))
		}
		if hx, ok := lookup(f, "hx-post"); ok && hx != attr(f, "action") {
			t.Errorf("form goes to %q with htmx and to %q without", hx, attr(f, "action"))
		}
		one(t, f, tag("button"), with("type", "submit"))
	}
}

func labelledFields(t *testing.T, doc *html.Node) {
	for _, in := range all(doc, tag("input", "select", "textarea")) {
		if attr(in, "type") == "hidden" || in.Parent.Data == "label" {
			continue
		}
		if text(one(t, doc, tag("label"), with("for", attr(in, "id")))) == "" {
			t.Errorf("empty label of %s", attr(in, "id"))
		}
		if attr(in, "autocomplete") == "" {
			t.Errorf("%s leaves autocomplete open", attr(in, "id"))
		}
	}
	for _, set := range all(doc, tag("fieldset")) {
		one(t, set, tag("legend"))
	}
}

func referencesResolve(t *testing.T, doc *html.Node) {
	ids := map[string]bool{}
	for _, n := range all(doc, having("id")) {
		if ids[attr(n, "id")] {
			t.Errorf("id %q stands twice", attr(n, "id"))
		}
		ids[attr(n, "id")] = true
	}
	for _, key := range []string{"for", "aria-describedby", "aria-labelledby", "data-reveals"} {
		for _, n := range all(doc, having(key)) {
			for _, id := range strings.Fields(attr(n, key)) {
				if !ids[id] {
					t.Errorf("%s=%q leads nowhere", key, id)
				}
			}
		}
	}
}

func outline(t *testing.T, doc *html.Node) {
	if attr(one(t, doc, tag("html")), "lang") != "en" {
		t.Error("the document names no language")
	}
	main := one(t, doc, tag("main"))
	heading := text(one(t, main, tag("h1")))
	if title := text(one(t, doc, tag("title"))); title != heading+" · garminlink" {
		t.Errorf("title %q, heading %q", title, heading)
	}
	if len(all(doc, tag("h1"))) != 1 || len(all(doc, tag("h3"))) != 0 {
		t.Error("headings skip a level")
	}
}

func oneFocus(t *testing.T, doc *html.Node) {
	focus := all(doc, having("autofocus"))
	if len(focus) > 1 {
		t.Errorf("%d elements ask for the focus", len(focus))
	}
	if faults := all(doc, with("aria-invalid", "true")); len(faults) > 0 && (len(focus) == 0 || focus[0] != faults[0]) {
		t.Error("the first faulty field does not take the focus")
	}
}

func explainedErrors(t *testing.T, doc *html.Node) {
	for _, in := range all(doc, with("aria-invalid", "true")) {
		first, _, _ := strings.Cut(attr(in, "aria-describedby"), " ")
		if said := text(one(t, doc, with("id", first))); !strings.HasPrefix(said, "Error: ") {
			t.Errorf("%s is described by %q first", attr(in, "id"), said)
		}
	}
}

func buttons(t *testing.T, doc *html.Node) {
	for _, b := range all(doc, tag("button")) {
		if attr(b, "type") == "" || text(b) == "" {
			t.Errorf("button without type or text: %s", source(b))
		}
	}
	for _, img := range all(doc, tag("img")) {
		if _, ok := lookup(img, "alt"); !ok || attr(img, "width") == "" || attr(img, "height") == "" {
			t.Errorf("image without text or size: %s", source(img))
		}
	}
}

func assetsServed(t *testing.T, doc *html.Node) {
	for _, n := range all(doc, tag("script", "img", "link")) {
		url := attr(n, "src") + attr(n, "href")
		w := httptest.NewRecorder()
		static.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, url, nil))
		if w.Code != http.StatusOK {
			t.Errorf("%s answers %d", url, w.Code)
		}
	}
}

func noPasswordValue(t *testing.T, doc *html.Node) {
	for _, in := range all(doc, tag("input"), with("type", "password")) {
		if v, ok := lookup(in, "value"); ok {
			t.Errorf("%s comes with the value %q", attr(in, "id"), v)
		}
	}
}

func nothingPasted(t *testing.T, doc *html.Node) {
	for _, area := range all(doc, tag("textarea")) {
		if name := attr(area, "name"); name == "note" || name == "why" {
			continue // what staff write is no secret
		}
		if area.FirstChild != nil || attr(area, "autocomplete") != "off" || attr(area, "spellcheck") != "false" {
			t.Errorf("area comes with a text, or keeps one: %s", source(area))
		}
	}
}

func foreignTabs(t *testing.T, doc *html.Node) {
	for _, a := range all(doc, tag("a")) {
		foreign := strings.Contains(attr(a, "href"), "://")
		if foreign != (attr(a, "target") == "_blank") || foreign && attr(a, "rel") != "noopener noreferrer" {
			t.Errorf("link to elsewhere: %s", source(a))
		}
	}
}

func banner(t *testing.T, doc *html.Node) {
	if said := text(one(t, doc, tag("aside"))); !strings.Contains(said, "Garmin is simulated") {
		t.Errorf("banner says %q", said)
	}
}

func signOut(t *testing.T, doc *html.Node) {
	form := one(t, doc, tag("form"), with("action", "/signout"))
	if said := text(form); !strings.Contains(said, chrome.SignedInEmail) || !strings.Contains(said, "support") {
		t.Errorf("account says %q", said)
	}
}

func countdowns(t *testing.T, doc *html.Node) {
	for _, c := range all(doc, having("data-countdown")) {
		if text(one(t, c, having("data-left"))) == "" || attr(c, "data-done") == "" || attr(c, "id") == "" {
			t.Errorf("incomplete countdown: %s", source(c))
		}
	}
}
