package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// axe-core as .ci/axe fetches it, and its SHA-256.
const (
	axeFile = "../../.dev/axe-core-4.14.1.min.js"
	axeSum  = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
)

var axeSource = sync.OnceValues(func() (string, error) {
	source, err := os.ReadFile(axeFile)
	if err != nil {
		return "", fmt.Errorf("run .ci/axe: %w", err)
	}
	if sum := sha256.Sum256(source); hex.EncodeToString(sum[:]) != axeSum {
		return "", fmt.Errorf("%s is another file than the tests expect: remove it, and run .ci/axe", axeFile)
	}
	return string(source), nil
})

// The rules of WCAG 2.2 up to AA, those that are off by default too, and what
// axe-core holds to be good practice. Garmin's own page in a frame is not ours.
const runAxe = `axe.run(document, {
	iframes: false,
	resultTypes: ["violations"],
	runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"],
}).then((result) => ({
	Rules: result.passes.length + result.violations.length + result.incomplete.length,
	Findings: result.violations.flatMap((v) => v.nodes.map((n) =>
		v.id + " (" + n.impact + ") at " + n.target.join(" ") + ": " + n.failureSummary.replace(/\s+/g, " "))),
}))`

// wantAccessible looks at the page that stands there with axe-core. It comes in
// by the browser's own console, which no content policy binds.
func (b *tab) wantAccessible(state string) {
	b.t.Helper()
	source, err := axeSource()
	if err != nil {
		b.t.Fatal(err)
	}
	b.letScripts(true)
	defer b.letScripts(b.look.scripts)
	if !evaluate[bool](b, "typeof axe === 'object'") {
		evaluate[int](b, source+"; 0")
	}
	found := promised[struct {
		Rules    int
		Findings []string
	}](b, runAxe)
	if found.Rules < 10 {
		b.t.Errorf("axe-core tried %d rules on %s", found.Rules, state)
	}
	if len(found.Findings) > 0 {
		b.t.Errorf("axe-core on %s, %s:\n\t%s", state, b.look.name, strings.Join(found.Findings, "\n\t"))
	}
}

func (b *tab) letScripts(run bool) {
	b.t.Helper()
	ask(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !run})
}

// promised is what a promise of the page comes to.
func promised[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}
