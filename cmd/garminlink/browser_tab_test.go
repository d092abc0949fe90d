package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/google/uuid"
)

// tab is a page of a browser profile of its own, before a stack of its own.
// It takes down whatever the console says and whoever is asked.
type tab struct {
	t        *testing.T
	s        *stack
	look     look
	user     uuid.UUID
	replica  *program
	ctx      context.Context
	states   int    // seen so far
	noisy    bool   // what the browser complains of is what the test does
	language string // of the pages; "" is English
	host     string // the origin of an application that may be asked, too; "" for none

	app     *hostApp // that sends its users here, if any
	release func()   // of what Garmin is held at, if anything

	atGarmin atomic.Bool // the user has gone to Garmin's own page

	mu         sync.Mutex
	complaints []string
	weight     weight
}

// openTab makes a stack with one replica, a user, and an empty tab. Settings go
// to the replica.
func openTab(t *testing.T, browser context.Context, l look, settings ...string) *tab {
	t.Helper()
	b := &tab{t: t, s: newStack(t, append(settings, "SIGNUP=open")...), look: l}
	b.replica = b.s.replica()
	b.user = b.s.newUser(ourUser)
	behindProxy := func(p *target.CreateBrowserContextParams) { p.ProxyServer = b.s.proxy }
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext(behindProxy), chromedp.WithListener(b.listen))
	t.Cleanup(cancel)
	t.Cleanup(b.wantSilence)
	b.ctx = ctx
	if err := chromedp.Do(ctx); err != nil { // without a deadline: the tab would end with it
		t.Fatal(err)
	}
	b.watchShifts()
	b.emulate(l)
	return b
}

const ourUser = "runner@example.com"

func (b *tab) signIn() {
	b.t.Helper()
	b.open("/signin")
	b.fill("E-mail", ourUser)
	b.fill("Password", ourPassword)
	b.press("Sign in")
}

// listen hears all that happens in the tab. It must not call back.
func (b *tab) listen(event any) {
	b.weigh(event)
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		b.complain("console.%s: %s", e.Type, described(e.Args))
	case *runtime.EventExceptionThrown:
		b.complain("exception: %s", e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		// That a form was refused is no fault of the page.
		refused := e.Entry.Source == log.EntrySourceNetwork && strings.Contains(e.Entry.Text, "responded with a status of")
		serious := e.Entry.Level == log.EntryLevelWarning || e.Entry.Level == log.EntryLevelError
		if serious && !refused {
			b.complain("%s: %s", e.Entry.Source, e.Entry.Text)
		}
	case *network.EventRequestWillBeSent:
		host := b.host != "" && strings.HasPrefix(e.Request.URL, b.host+"/")
		own := strings.HasPrefix(e.Request.URL, b.s.door.URL+"/") || strings.HasPrefix(e.Request.URL, "data:") // Chromium's icons
		if !own && !host && !b.atGarmin.Load() {
			b.complain("asked elsewhere: %s", e.Request.URL)
		}
	}
}

// described is what the console would print.
func described(args []*runtime.RemoteObject) string {
	var words []string
	for _, a := range args {
		words = append(words, a.Description+string(a.Value))
	}
	return strings.Join(words, " ")
}

func (b *tab) complain(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = append(b.complaints, fmt.Sprintf(format, args...))
}

// heard takes what was complained of so far.
func (b *tab) heard() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	heard := b.complaints
	b.complaints = nil
	return heard
}

// wantSilence is checked at the end of each test, but for those that make noise.
func (b *tab) wantSilence() {
	if b.noisy {
		return
	}
	for _, c := range b.heard() {
		b.t.Errorf("the browser complains: %s", c)
	}
}

// ask runs a command of the browser's protocol.
func ask[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	result, err := chromedp.Call(ctx, command, params)
	if err != nil {
		b.t.Fatalf("%s: %v", command.Method, err)
	}
	return result
}

// do runs an action, for as long as patience lasts. One whose element went with
// a page or part that was replaced meanwhile has done nothing, and begins again.
func (b *tab) do(what string, action chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	err := chromedp.Do(ctx, action)
	for replaced(err) {
		err = chromedp.Do(ctx, action)
	}
	if err != nil {
		b.t.Fatalf("%s: %v, on the page:\n%s", what, err, b.text())
	}
}

// replaced reports that an element was found, and gone before it was touched.
func replaced(err error) bool {
	e, ok := errors.AsType[*cdproto.Error](err)
	return ok && e.Message == "Could not find node with given id"
}

// evaluate reads from the page; the browser's own console may, even where
// scripts may not run.
func evaluate[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

func (b *tab) text() string {
	b.t.Helper()
	return evaluate[string](b, "document.body ? document.body.innerText : ''")
}

func (b *tab) open(path string) {
	b.t.Helper()
	b.do("open "+path, chromedp.Navigate(b.s.door.URL+path))
}

// fill types into the field with this label, in place of what it holds.
func (b *tab) fill(label, text string) {
	b.t.Helper()
	field := fmt.Sprintf(`//*[self::input or self::textarea][@id=//label[normalize-space()=%q]/@for]`, label)
	b.do("find "+label, chromedp.Focus(field, chromedp.NodeVisible))
	evaluate[int](b, "document.activeElement.value = ''; 0")
	ask(b, input.InsertText, input.InsertTextParams{Text: text})
}

// button is a selector for what can be pressed and is called this.
func button(name string) string {
	return fmt.Sprintf(`//*[self::button or self::summary or self::a][normalize-space()=%[1]q or span[@class="label"]=%[1]q]`, name)
}

func (b *tab) press(name string) {
	b.t.Helper()
	b.do("press "+name, chromedp.Click(button(name), chromedp.NodeVisible))
}

// choose picks the radio button whose label says this.
func (b *tab) choose(text string) {
	b.t.Helper()
	b.do("choose "+text, chromedp.Click(fmt.Sprintf(`//label[contains(normalize-space(),%q)]`, text), chromedp.NodeVisible))
}

// see waits for a page with this heading, and looks at it.
func (b *tab) see(heading string) {
	b.t.Helper()
	b.find("the heading "+heading, fmt.Sprintf(`//h1[normalize-space()=%q]`, heading))
	b.inspect(heading)
}

// read waits for an element that says this.
func (b *tab) read(text string) {
	b.t.Helper()
	b.find("the text "+text, fmt.Sprintf(`//main//*[text()[contains(normalize-space(),%q)]]`, text))
}

// meet waits for a problem, and looks at the page.
func (b *tab) meet(problem string) {
	b.t.Helper()
	b.find("the problem "+problem, fmt.Sprintf(`//*[@id="problem-title"][normalize-space()=%q]`, problem))
	b.inspect(problem)
}

func (b *tab) find(what, selector string) {
	b.t.Helper()
	b.do("look for "+what, chromedp.WaitVisible(selector))
}

// inspect checks what holds in every state, and takes its picture if asked to.
func (b *tab) inspect(state string) {
	b.t.Helper()
	b.wantStill(state)
	b.wantNoSidewaysScroll()
	b.wantLanguage(state)
	b.wantLight(state)
	if *browserAll {
		b.wantAccessible(state)
	}
	b.states++
	if *browserShots != "" {
		b.photograph(*browserShots, state)
	}
}

func (b *tab) wantLanguage(state string) {
	b.t.Helper()
	if got := evaluate[string](b, "document.documentElement.lang"); got != cmp.Or(b.language, "en") {
		b.t.Errorf("%s says that it is in %q, want %q", state, got, cmp.Or(b.language, "en"))
	}
}

func (b *tab) wantNoSidewaysScroll() {
	b.t.Helper()
	const wide = `((page) => page.scrollWidth <= page.clientWidth ? [] : [page.scrollWidth + " px"].concat(
		[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > page.clientWidth + 1)
			.map((e) => e.localName + "#" + e.id + "." + e.className)))(document.documentElement)`
	if found := evaluate[[]string](b, wide); len(found) > 0 {
		b.t.Errorf("the page is wider than the window, %s:\n\t%s", b.look.name, strings.Join(found, "\n\t"))
	}
}

// wantFocus checks which element has the focus: by its id, or by its tag.
func (b *tab) wantFocus(want string) {
	b.t.Helper()
	const focused = "document.activeElement.id || document.activeElement.localName"
	if got := evaluate[string](b, focused); got != want {
		b.t.Errorf("the focus is on %q, want %q", got, want)
	}
}

// wantPath checks the address bar.
func (b *tab) wantPath(want string) {
	b.t.Helper()
	if got := evaluate[string](b, "location.pathname"); got != want {
		b.t.Errorf("the address is %s, want %s", got, want)
	}
}
