package main

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// make browser sets both.
var (
	browserAll   = flag.Bool("browser.all", false, "see every page and walk every journey in all looks, and have axe-core look at each state")
	browserShots = flag.String("browser.shots", "", "a `folder` for a picture of each state")
)

// look is what a page is seen on, and whether it may run scripts.
type look struct {
	name          string
	width, height int64
	phone         bool
	scheme        string // light or dark
	scripts       bool
}

var (
	phoneLight   = look{"phone-light", 390, 844, true, "light", true}
	phoneDark    = look{"phone-dark", 390, 844, true, "dark", true}
	desktopLight = look{"desktop-light", 1280, 900, false, "light", true}
	desktopDark  = look{"desktop-dark", 1280, 900, false, "dark", true}
)

var allLooks = []look{phoneLight, desktopDark, phoneDark, desktopLight}

func (l look) withoutScripts() look {
	l.name += "-no-scripts"
	l.scripts = false
	return l
}

// inAll is all looks instead of a few, if that is asked for. What needs scripts,
// or shows what is without them, keeps to that.
func inAll(few []look) []look {
	if !*browserAll {
		return few
	}
	var all []look
	for _, scripts := range []bool{true, false} {
		if slices.ContainsFunc(few, func(l look) bool { return l.scripts == scripts }) {
			for _, l := range allLooks {
				if !scripts {
					l = l.withoutScripts()
				}
				all = append(all, l)
			}
		}
	}
	return all
}

// chromium starts one headless browser for all tabs of a test.
func chromium(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, // root in a container has none
		chromedp.DisableGPU,
		chromedp.IgnoreCertErrors, // the door's certificate is of its own making
		chromedp.UserDataDir(profile(t)),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("lang", "en-GB"),
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("Chromium does not start: %v", err)
	}
	return ctx
}

// profile is that of a browser which lets a frame of another site have cookies.
// Not every browser does; then the user pastes.
func profile(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "Default"), 0o700); err != nil {
		t.Fatal(err)
	}
	const allow = `{"profile":{"cookie_controls_mode":0,"block_third_party_cookies":false}}`
	if err := os.WriteFile(filepath.Join(dir, "Default", "Preferences"), []byte(allow), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// emulate makes the tab look so from here on.
func (b *tab) emulate(l look) {
	b.t.Helper()
	b.look = l
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}}
	ask(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
	b.letScripts(l.scripts)
	b.resize(l.width, l.height)
}

func (b *tab) resize(width, height int64) {
	b.t.Helper()
	var options []chromedp.EmulateViewportOption
	if b.look.phone {
		options = append(options, chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	b.do("resize", chromedp.EmulateViewport(width, height, options...))
	b.shifts() // of the test's own doing
}

func (b *tab) preferReducedMotion() {
	b.t.Helper()
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: b.look.scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}
	ask(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
}
