package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/views"
)

// A scene is one state of a page, and how to get there from the scene before.
type scene struct {
	name string
	show func(*tab)
}

// acts are all pages in all their states, in the order in which one tab can see
// them. Words are left to other tests: here pages are known by their forms. What
// is meant to be an error page is named by its status.
var acts = []struct {
	name     string
	settings []string
	scenes   []scene
}{
	{"first run", nil, firstRun},
	{"strangers", nil, strangers},
	{"signing in to Garmin", nil, signingIn},
	{"codes", nil, codes},
	{"links", nil, links},
	{"prompts", nil, prompts},
	{"other ways", nil, otherWays},
	{"settings", []string{"SMTP_URL=smtp://127.0.0.1:1", "MAIL_FROM=link@example.org"}, settings},
	{"guests", nil, guestPages},
	{"support", nil, agentPages},
	{"admins", nil, adminPages},
	{"errors", nil, errorPages},
}

// TestPagesInABrowser looks at every page in every state: with axe-core, on
// every width, for what it weighs, moves, asks and complains of. Each is seen in
// one look and one language; with -browser.all in all looks, and in all languages.
func TestPagesInABrowser(t *testing.T) {
	t.Parallel()
	browser := chromium(t)
	for i, act := range acts {
		for n, language := range views.Languages {
			if !*browserAll && n != i%len(views.Languages) {
				continue
			}
			t.Run(act.name+"/"+language.Tag, func(t *testing.T) {
				t.Parallel()
				app := newHostApp(t)
				b := openTab(t, browser, allLooks[0], append(act.settings, "RETURN_URLS="+app.URL)...)
				b.app, b.host = app, app.URL
				b.forgetful()
				b.speak(language.Tag)
				for j, sc := range act.scenes {
					b.play(sc, looksIn(n, i+j))
				}
			})
		}
	}
}

// looksIn are those in which a scene is seen in the language of that number:
// all in the first one, if all is asked for, otherwise a different one each time.
func looksIn(language, scene int) []look {
	one := allLooks[(language+scene)%len(allLooks)]
	if language > 0 {
		return []look{one}
	}
	return inAll([]look{one})
}

func (b *tab) play(sc scene, looks []look) {
	b.t.Helper()
	b.t.Log(sc.name)
	sc.show(b)
	b.wantPage(sc.name)
	b.study(sc.name, looks)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.t.Logf("\t%d bytes in %d requests", b.weight.bytes, len(b.weight.requests))
}

// speak makes the browser ask for a language.
func (b *tab) speak(tag string) {
	b.t.Helper()
	b.language = tag
	ask(b, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": tag}})
}

// wantPage checks that the page is an error's if it is meant to be, and not by
// mistake.
func (b *tab) wantPage(name string) {
	b.t.Helper()
	b.await("#main h1")
	meant := strings.HasPrefix(name, "4") || strings.HasPrefix(name, "5")
	if is := evaluate[bool](b, `document.querySelector("#main > .problem.page") !== null`); is != meant {
		b.t.Errorf("%s is, or is not, an error page:\n%s", name, b.text())
	}
}

// study looks at the page on show from all sides.
func (b *tab) study(state string, looks []look) {
	b.t.Helper()
	b.wantStill(state)
	for _, l := range looks {
		b.emulate(l)
		b.inspect(state)
		if !*browserAll {
			b.wantAccessible(state)
		}
	}
	b.atEveryWidth()
	b.emulate(allLooks[0])
}

// at opens a page.
func at(path string) func(*tab) { return func(b *tab) { b.open(path) } }

// enter fills in the form that is sent to action, names and values in turn, and
// waits for what comes of it. An answer within the page takes the focus, and what
// it brings is told to those who do not see it.
func (b *tab) enter(action string, fields ...string) {
	b.t.Helper()
	b.begin(action, fields...)
	b.arrive()
	const lost = `document.answered && !document.activeElement.closest("#main, dialog")`
	if evaluate[bool](b, "Boolean("+lost+")") {
		b.t.Errorf("after %s the focus is lost on the page:\n%s", action, b.text())
	}
	const silent = `document.answered && document.querySelector("#main .notice") && !document.querySelector("#announcer").textContent`
	if evaluate[bool](b, "Boolean("+silent+")") {
		b.t.Errorf("after %s nothing is announced of the page:\n%s", action, b.text())
	}
}

// begin sends a form, whatever its fields ask for; its answer is still to come.
func (b *tab) begin(action string, fields ...string) {
	b.t.Helper()
	values, err := json.Marshal(append([]string{}, fields...))
	if err != nil {
		b.t.Fatal(err)
	}
	sent := evaluate[bool](b, fmt.Sprintf(`((action, fields) => {
		const form = document.querySelector("form[action=" + JSON.stringify(action) + "]");
		if (!form) return false;
		for (let i = 0; i < fields.length; i += 2) {
			const field = form.elements[fields[i]], value = fields[i + 1];
			if (field.type === "checkbox") field.checked = value !== "";
			else if (field instanceof RadioNodeList) for (const one of field) one.checked = one.value === value;
			else field.value = value;
		}
		const departed = document.querySelector("#main").firstElementChild;
		departed.dataset.departed = "";
		document.answered = false;
		document.addEventListener("htmx:finally:request", ({ detail }) => {
			if (detail.ctx.sourceElement !== form) return;
			delete departed.dataset.departed;
			document.answered = true;
		});
		form.noValidate = true;
		form.closest("details")?.setAttribute("open", "");
		form.querySelector("[type=submit]").focus(); // as who presses it does
		form.requestSubmit();
		return true;
	})(%q, %s)`, action, values))
	if !sent {
		b.t.Fatalf("no form is sent to %s on the page:\n%s", action, b.text())
	}
}

// arrive waits until another page, or part of one, has taken the place of that
// which was left.
func (b *tab) arrive() {
	b.t.Helper()
	b.do("wait for the answer", chromedp.WaitReady(`html:not(:has([data-departed], form[aria-busy])) #main`))
}

// unfold opens all that is folded, as one does who reads all of a page.
func (b *tab) unfold() {
	b.t.Helper()
	evaluate[int](b, `document.querySelectorAll("#main details").forEach((d) => { d.open = true }); 0`)
	b.shifts()
}

// await waits for what a selector finds, whether or not it is seen.
func (b *tab) await(selector string) {
	b.t.Helper()
	b.do("wait for "+selector, chromedp.WaitReady(selector))
}

// signInAs begins a sign-in of ours, whoever had one here before.
func (b *tab) signInAs(email string) {
	b.t.Helper()
	b.open("/signin")
	if evaluate[bool](b, `document.querySelector("form[action='/signin']") === null`) {
		b.enter("/signout")
		b.open("/signin")
	}
	b.enter("/signin", "email", email, "password", ourPassword)
}

// newStaff makes one of the staff, with ourPassword.
func (s *stack) newStaff(role account.Role) (email string) {
	s.t.Helper()
	email = fmt.Sprintf("%s@example.com", role)
	if _, err := account.New(postgres.NewAccounts(s.db.DB), passwordCost).Create(s.t.Context(), email, ourPassword, role); err != nil {
		s.t.Fatal(err)
	}
	return email
}

// exec changes the database behind everybody's back.
func (s *stack) exec(sql string, args ...any) {
	s.t.Helper()
	if _, err := s.db.Pool.Exec(s.t.Context(), sql, args...); err != nil {
		s.t.Fatalf("%s: %v", sql, err)
	}
}
