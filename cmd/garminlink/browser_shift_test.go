package main

import (
	"strings"

	protocol "github.com/chromedp/cdproto/page"
)

// watchShifts notes what moves on a page while nobody acts, and whatever moves
// once htmx has changed it: browsers forgive what follows a click within half a
// second, and so would hide what most answers do. A click ends that: what it
// unfolds is meant to move. Only tests have a page laid out before its styles have
// come, so what those move is not counted.
const watchShifts = `(() => {
	let styled = Infinity, swapped = Infinity, moved = [];
	const note = (entries) => {
		for (const e of entries) {
			if (e.startTime < styled || (e.hadRecentInput && e.startTime < swapped)) continue;
			for (const { node, previousRect: from, currentRect: to } of e.sources) {
				const name = node?.localName ? node.localName + "#" + node.id + "." + node.className : node?.textContent;
				moved.push(name + " from " + [from.x, from.y, from.width, from.height] + " to " + [to.x, to.y, to.width, to.height]);
			}
		}
	};
	const observer = new PerformanceObserver((list) => note(list.getEntries()));
	observer.observe({ type: "layout-shift", buffered: true });
	const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
	addEventListener("load", async ({ target }) => {
		if (target.localName !== "link") return;
		await frame();
		styled = performance.now();
	}, true);
	addEventListener("click", () => { swapped = Infinity }, true);
	addEventListener("htmx:before:swap", () => { swapped = performance.now() }, true);
	Object.defineProperty(window, "shifts", { value: async () => {
		await frame();
		note(observer.takeRecords());
		const all = moved;
		moved = [];
		return all;
	} });
})()`

func (b *tab) watchShifts() {
	b.t.Helper()
	ask(b, protocol.AddScriptToEvaluateOnNewDocument, protocol.AddScriptToEvaluateOnNewDocumentParams{Source: watchShifts})
}

// shifts takes what has moved since it was last asked for.
func (b *tab) shifts() []string {
	b.t.Helper()
	if !b.look.scripts {
		return nil
	}
	return promised[[]string](b, "typeof shifts === 'function' ? shifts() : []")
}

// wantStill checks that nothing moved that nobody has moved.
func (b *tab) wantStill(state string) {
	b.t.Helper()
	if moved := b.shifts(); len(moved) > 0 {
		b.t.Errorf("on %s, %s, there moved\n\t%s", state, b.look.name, strings.Join(moved, "\n\t"))
	}
}
