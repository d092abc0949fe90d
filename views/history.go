package views

import (
	"context"
	"io"
	"net/url"

	"github.com/a-h/templ"
)

// History is the page of GET /history.
type History struct {
	First   bool // the latest lines stand here
	Lines   []HistoryLine
	Earlier string // the event before which the next page begins; "" if this is the last
	Uses    []Use  // on the first page
}

// HistoryLine is what happened once.
type HistoryLine struct {
	Text string
	Why  string
	Note string // of support
	At   Moment
	Ends Moment // when what it tells of ends
}

// Use is what a program did with the session lately.
type Use struct {
	Program string
	Last    Moment
	Renewal bool     // with what renews the session
	Days    []UseDay // the latest first
}

// UseDay is how often that was on one day, in UTC.
type UseDay struct {
	On    Moment
	Times int
}

// Times is how often that was on all days.
func (u Use) Times() (n int) {
	for _, d := range u.Days {
		n += d.Times
	}
	return n
}

func (History) Title(ctx context.Context) string { return say(ctx, "What happened to your link") }

func (h History) Render(ctx context.Context, w io.Writer) error { return history(h).Render(ctx, w) }

func (h History) next() templ.SafeURL {
	return templ.SafeURL("/history?" + url.Values{"before": {h.Earlier}}.Encode())
}
