// Package views owns the pages: their words, structure and looks as HTML.
//
// A view is a struct of ready-to-print values that knows its title and draws
// the content of <main>; Whole puts it into a document, Part sends it alone
// for htmx to put there. The package knows no database, no routes' handlers
// and no domain: it is told states and texts. What errors say is written by
// web's message files and comes in as strings.
//
// Every page works without JavaScript, and none has inline script, style or
// event attributes. Elements with hx- attributes carry the response's nonce,
// so that markup that slipped in by injection stays inert (htmx's hx-csp).
package views

import (
	"cmp"
	"context"
	"io"

	"github.com/a-h/templ"
)

// A View is the content of one page.
type View interface {
	templ.Component
	Title(context.Context) string
}

// Chrome is what surrounds every page.
type Chrome struct {
	SignedInEmail   string // "" when signed out
	SignedInID      string // sent back by every form as "as": a page may outlive its sign-in
	Role            string // user, support or admin
	Base            string // below which forms and links of a link's pages lead; "" for /link
	SimulatedGarmin bool
	Here            string  // path and query of this page
	Language        string  // what this browser was told to speak before anybody signed in; "": its own
	Prompt          *Prompt // of those whose link may need them; nil for everybody else
	sheet           bool
	Nonce           string // of this response's Content-Security-Policy (script-src 'nonce-...'); a part needs the header, too
}

// Whole is a full document.
func Whole(c Chrome, v View) templ.Component { return within(c, document(c, v)) }

// Part is the title and the content of <main>, for an htmx request whose
// target is #main.
func Part(c Chrome, v View) templ.Component { return within(c, part(c, v)) }

// StatusPart is the status part alone, for GET /link/status and its like.
func StatusPart(c Chrome, s Status) templ.Component { return within(c, status(s)) }

// StandingPart is how an active link is doing, with what a check has found.
func StandingPart(c Chrome, l Link) templ.Component { return within(c, standing(l, l.Problem)) }

// CountersPart is the counters alone, for GET /support/counters.
func CountersPart(c Chrome, n Counters) templ.Component { return within(c, counters(n)) }

type chromeKey struct{}

func within(c Chrome, inner templ.Component) templ.Component {
	c.Base = cmp.Or(c.Base, "/link")
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		ctx = context.WithValue(ctx, chromeKey{}, c)
		return inner.Render(templ.WithNonce(ctx, c.Nonce), w)
	})
}

func signedInID(ctx context.Context) string {
	c, _ := ctx.Value(chromeKey{}).(Chrome)
	return c.SignedInID
}

// at is where a path below the base leads.
func at(ctx context.Context, path string) string {
	c, _ := ctx.Value(chromeKey{}).(Chrome)
	return c.Base + path
}
