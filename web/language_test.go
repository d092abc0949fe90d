package web_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/garminlink/garminlink/internal/link"
)

// wantLanguage checks what a page says that it is written in.
func (p *page) wantLanguage(tag string) *page {
	p.t.Helper()
	said := ""
	for n := range p.tree().Descendants() {
		if n.Data == "html" {
			said = attr(n, "lang")
		}
	}
	if said != tag || p.Header.Get("Content-Language") != tag {
		p.t.Errorf("%s: the page is in %q, the answer in %q, want %q", p.request, said, p.Header.Get("Content-Language"), tag)
	}
	return p
}

func (b *browser) asks(languages string) { b.header.Set("Accept-Language", languages) }

func TestPagesSpeakWhatTheBrowserAsksFor(t *testing.T) {
	t.Parallel()
	b := newSite(t).browser()
	b.get("/").wantLanguage("en")
	for asked, want := range map[string]string{
		"de-AT,de;q=0.8,en;q=0.5": "de", "es-MX": "es", "fr-CA;q=0.7, tlh": "fr", "pt-BR, en;q=0.1": "en", "*": "en", ";;": "en",
		"zh": "zh-Hans", "zh-CN,zh;q=0.9": "zh-Hans", "zh-SG": "zh-Hans", "zh-Hans-HK": "zh-Hans", "en-US,de": "en", "ja, de;q=0.3": "de",
	} {
		b.asks(asked)
		b.get("/signin").want(http.StatusOK).wantLanguage(want)
		b.get("/nowhere").want(http.StatusNotFound).wantLanguage(want)
	}
}

func TestALanguageIsChosenBeforeSignIn(t *testing.T) {
	t.Parallel()
	b := newSite(t).browser()
	b.asks("fr")
	if next := b.get("/signin?next=%2Fhistory").wantLanguage("fr").value("/language", "next"); next != "/signin?next=%2Fhistory" {
		t.Errorf("the choice leads back to %q", next)
	}
	b.post("/language", "language", "de", "next", "/signin").wantRedirect("/signin")
	b.get("/signin").wantLanguage("de")
	b.post("/language", "language", "es", "next", "//elsewhere.example").wantRedirect("/")
	b.post("/language", "language", "tlh").want(http.StatusBadRequest).wantLanguage("es")
	b.post("/language", "language", "").wantRedirect("/")
	b.get("/").wantLanguage("fr")
	b.get("/language").wantRedirect("/")
}

// What a user sets holds in every browser, and stays with this one's door.
func TestWhatAUserSetsComesFirst(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	phone, desk := s.runner(), s.runner()
	phone.asks("fr")
	phone.post("/language", "language", "es")
	phone.get("/settings").wantLanguage("es")
	desk.post("/settings/language", "language", "de").wantRedirect("/settings")
	phone.get("/settings").wantLanguage("de")
	desk.get("/settings").wantLanguage("de")
	desk.post("/signout")
	desk.get("/signin").wantLanguage("de")
	phone.header.Set("HX-Request", "true")
	if p := phone.post("/settings/language", "language", ""); p.Header.Get("HX-Redirect") != "/settings" {
		t.Error("what surrounds the settings stays in the former language")
	}
	phone.header.Del("HX-Request")
	phone.get("/settings").wantLanguage("fr")
}

func TestAHostSaysWhatItsUserReads(t *testing.T) {
	t.Parallel()
	g := newSite(t).sent("runner-8", link.ToLink)
	if _, err := g.s.db.Pool.Exec(context.Background(), "UPDATE connect_sessions SET locale = 'zh-CN'"); err != nil {
		t.Fatal(err)
	}
	g.asks("de")
	g.get(g.door).wantLanguage("zh-Hans")
	g.enter(g.browser).wantRedirect("/connect")
	g.get("/connect").wantLanguage("zh-Hans")
	g.post("/language", "language", "fr", "next", "/connect").wantRedirect("/connect")
	g.get("/connect").wantLanguage("fr")
}
