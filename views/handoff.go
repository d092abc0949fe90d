package views

import (
	"context"
	"io"

	"github.com/a-h/templ"
)

// Handoff is the page of GET /link/handoff, with the form of POST /link/ticket:
// the user signs in on Garmin's own page and brings back how it ended.
type Handoff struct {
	FormID      string // see GarminForm
	Region      string // garmin.com or garmin.cn
	PageURL     string // Garmin's page, for a tab of its own
	FrameURL    string // the same for a frame, which tells app.js how it ended
	FrameOrigin string // whom app.js believes that
	TicketError string
	Reference   string // of TicketError, for support
	Problem     *Problem
}

func (Handoff) Title(ctx context.Context) string { return say(ctx, "Sign in on Garmin’s own page") }

func (h Handoff) Render(ctx context.Context, w io.Writer) error { return handoff(h).Render(ctx, w) }

// inFrame tells app.js which frame to open. Garmin's page needs scripts,
// forms, its own cookies, and windows for what it links to; it must not take
// ours to another page.
func (h Handoff) inFrame(ctx context.Context) templ.Attributes {
	return templ.Attributes{
		"data-frame": h.FrameURL, "data-origin": h.FrameOrigin, "data-title": say(ctx, "Garmin’s sign-in page"),
		"data-sandbox": "allow-scripts allow-forms allow-same-origin allow-popups allow-popups-to-escape-sandbox",
	}
}
