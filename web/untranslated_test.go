package web_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"

	"github.com/garminlink/garminlink/internal/account"
)

// What is no word of ours: addresses, ids, codes, names, and what was written.
var noWords = regexp.MustCompile(`[\w.*+-]+@[\w.]+|[0-9a-f]{8}-[0-9a-f-]{27}|\bgarmin\.(com|cn)\b|\bPia Plain\b|\bPace\b|\b(python-)?garminconnect\b|\bgarth\b|\bgarminlink\b|\bGarmin( Connect)?\b|` +
	`\b(ios|email|sms|UTC|CSV|ms|s|Webhook|called|me|somewhere-1|expired|online|bound|open|test)\b|\bext:|[a-z]+[._:][a-z_.:]+|\b[AZ]\b|\bOAuth1\b|\d+(\.\d+)?(ms|µs|s)\b`)

// wantChinese looks for texts that were not translated.
func (p *page) wantChinese() *page {
	p.t.Helper()
	p.want(http.StatusOK)
	for _, text := range read(p.tree()) {
		if left := noWords.ReplaceAllString(text, ""); strings.ContainsFunc(left, isLatin) {
			p.t.Errorf("%s: %q is left of %q", p.request, left, text)
		}
	}
	return p
}

func isLatin(r rune) bool { return unicode.Is(unicode.Latin, r) }

// read are the texts of a page that are in its language.
func read(n *html.Node) (found []string) {
	if n.Type == html.TextNode {
		return []string{strings.TrimSpace(n.Data)}
	}
	if n.Data == "script" || n.Data == "code" || attr(n, "translate") == "no" || n.Data != "html" && has(n, "lang") {
		return nil
	}
	for _, key := range []string{"title", "alt", "placeholder", "aria-label", "data-done", "data-busy"} {
		found = append(found, attr(n, key))
	}
	for c := range n.ChildNodes() {
		found = append(found, read(c)...)
	}
	return found
}

// The pages with all that handlers say in them, too.
func TestNobodyIsToldAnythingInEnglish(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.browser().get("/signin").wantLanguage("en")
	runner, admin := s.runner(), s.staff(account.RoleAdmin)
	for _, b := range []*browser{runner, admin} {
		b.asks("zh-CN")
	}
	runner.get("/link").wantChinese()
	runner.link("plain").want(http.StatusSeeOther)
	runner.post("/link/validate").want(http.StatusSeeOther)
	path := admin.pathOf(email)
	admin.post(path + "/check").want(http.StatusSeeOther)
	admin.post(path+"/note", "note", "called me").want(http.StatusSeeOther)
	runner.link("mfa").want(http.StatusSeeOther)
	for _, of := range []string{"/link/mfa", "/settings", "/history", "/link/import", "/link/export", "/link/handoff"} {
		runner.get(of).wantChinese()
	}
	for _, of := range []string{path, "/support", "/support/links", "/support/relink", "/support/staff", "/support/tokens", "/support/webhooks", "/support/keys", "/support/jobs"} {
		admin.get(of).wantChinese()
	}
	admin.post("/support/jobs/pause", "confirm", "yes").want(http.StatusSeeOther)
	admin.get("/support/jobs").wantChinese()
}
