package views

import (
	"context"

	"github.com/a-h/templ"
)

// Prompt asks, on whatever page, for what a link needs of its user. The zero
// Prompt asks for nothing. It is drawn again and again by GET /link/prompt.
type Prompt struct {
	// State is ReauthNeeded; MFAPending for a relink that waits for its code;
	// Active where the access ends soon; or "", and then nothing is asked.
	State string

	Reconnect Deadline // by when, where the access ends soon
	Asking    *Asking
}

// SheetID is the id of the element in the prompt's dialog that takes the forms of
// a relink, while the page around it stays.
const SheetID = "relink"

// PromptPart is the prompt alone, for GET /link/prompt.
func PromptPart(c Chrome, p Prompt) templ.Component { return within(c, prompt(p)) }

// Sheet is the content of SheetID.
func Sheet(c Chrome, v View) templ.Component {
	c.sheet = true
	return within(c, sheet(v))
}

// needed says that a sign-in to Garmin is what the link waits for.
func (l Link) needed() bool {
	return l.Challenge == nil && l.Candidate == nil && (l.Status.State == ReauthNeeded || !l.Status.Reconnect.IsZero() || l.Form.open())
}

// asks says that the page itself asks for what a prompt would.
func (l Link) asks() bool {
	return l.Challenge != nil || l.Candidate != nil || l.Status.State != Active || !l.Status.Reconnect.IsZero()
}

// own is an id as it stands where it is drawn: what the dialog shows may stand
// in the page below it as well.
func own(ctx context.Context, id string) string {
	if inSheet(ctx) {
		return SheetID + "-" + id
	}
	return id
}

// target is where htmx puts the answer to a form.
func target(ctx context.Context) string {
	if inSheet(ctx) {
		return "#" + SheetID
	}
	return "#main"
}

func inSheet(ctx context.Context) bool {
	c, _ := ctx.Value(chromeKey{}).(Chrome)
	return c.sheet
}
