package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	protocol "github.com/chromedp/cdproto/page"
)

// photograph writes the whole page, however long, as it looks from its top.
func (b *tab) photograph(dir, state string) {
	b.t.Helper()
	place := evaluate[float64](b, "((y) => { scrollTo(0, 0); return y })(scrollY)")
	defer func() { evaluate[int](b, fmt.Sprintf("scrollTo(0, %g); 0", place)) }()
	shot := ask(b, protocol.CaptureScreenshot, protocol.CaptureScreenshotParams{CaptureBeyondViewport: new(true)})
	name := fmt.Sprintf("%s-%02d-%s-%s.png", strings.ReplaceAll(b.t.Name(), "/", "-"), b.states, slug(state), b.look.name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), shot.Data, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// slug is a state's name as part of a file's.
func slug(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r == ' ':
			return '-'
		}
		return -1
	}, strings.ToLower(s))
}
