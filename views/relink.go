package views

import (
	"context"
	"io"
)

// Relink is the page of GET /support/relink, with the form of the POST to it.
type Relink struct {
	FormID    string // see GarminForm
	User      string // as entered
	UserError string
	Problem   *Problem
}

// RelinkMade shows an address that was made for a user, the only time.
type RelinkMade struct {
	Whom    string
	Address string
	Mail    string // a letter with it, as an address for mail programs; "" if nobody's is known
	Seconds int    // for which it is good
}

func (Relink) Title(ctx context.Context) string     { return say(ctx, "Repair a link") }
func (RelinkMade) Title(ctx context.Context) string { return say(ctx, "An address for the user") }

func (r Relink) Render(ctx context.Context, w io.Writer) error { return relink(r).Render(ctx, w) }

func (r RelinkMade) Render(ctx context.Context, w io.Writer) error {
	return relinkMade(r).Render(ctx, w)
}
