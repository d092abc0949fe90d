package views

import (
	"context"
	"strings"
	"testing"

	"github.com/a-h/templ"
)

func drawn(t *testing.T, ctx context.Context, c templ.Component) string {
	t.Helper()
	var b strings.Builder
	if err := c.Render(ctx, &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSayFillsThePlaces(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	if got := say(ctx, "{name} links as {email}, {name}", "Mara", "m@example.com"); got != "Mara links as m@example.com, Mara" {
		t.Errorf("it says %q", got)
	}
	for n, want := range map[int]string{1: "1 link of Mara", 2: "2 links of Mara", 0: "0 links of Mara", 12345: "12,345 links of Mara"} {
		if got := sayN(ctx, n, "{n} link of {name}", "{n} links of {name}", "Mara"); got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
	}
	if got := sayN(In(ctx, "de"), 12345, "{n} of them", "{n} of them"); got != "12.345 of them" {
		t.Errorf("in German it says %q", got)
	}
}

func TestSentenceEscapesAllButComponents(t *testing.T) {
	t.Parallel()
	got := drawn(t, t.Context(), sentence("<{name}> reads {link}.", "<b>", templ.Raw("<a>it</a>")))
	if got != "&lt;&lt;b&gt;&gt; reads <a>it</a>." {
		t.Errorf("it draws %s", got)
	}
	got = drawn(t, t.Context(), sentenceN(1, "{n} line by {who}", "{n} lines by {who}", templ.Raw("<b>me</b>")))
	if got != "1 line by <b>me</b>" {
		t.Errorf("it draws %s", got)
	}
}
