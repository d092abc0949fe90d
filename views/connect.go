package views

import (
	"context"
	"io"
)

// Visit says whom a host application, or our own support, has sent to link.
type Visit struct {
	Whom        string // his e-mail or his id at the application
	Application string // "": our support
	Host        string // to which he goes back; "": nowhere
	Account     string // the Garmin account that alone will do; "": any
}

// from is who has sent him.
func (v Visit) from(ctx context.Context) string {
	if v.Application == "" {
		return say(ctx, "Our support")
	}
	return v.Application
}

func (v Visit) leave(ctx context.Context) string {
	if v.Application == "" {
		return say(ctx, "Not now")
	}
	return say(ctx, "Cancel, and go back to {application}", v.Application)
}

// Door is the page of GET /connect/{address}, with the form of its POST, by
// which the first browser makes the address its own. That of an address which
// has served its time leads back.
type Door struct {
	Visit
	Address string // of the form: the page's own
	Browser string // names this very page, so that sending its form twice is one
	Over    string // why it leads back, in words; "": it leads on
	Problem *Problem
}

func (d Door) Title(ctx context.Context) string {
	switch {
	case d.Over != "":
		return say(ctx, "This address has served its time")
	case d.Account != "":
		return say(ctx, "Sign in to Garmin again")
	default:
		return say(ctx, "Link your Garmin account")
	}
}

func (d Door) Render(ctx context.Context, w io.Writer) error { return door(d).Render(ctx, w) }

// Connect is the page of GET /connect and of GET /connect/mfa: that of a link
// for a user who was sent here, who can link and nothing else.
type Connect struct {
	Link
	Visit  Visit
	Linked string // the account that he has linked again, and goes back with; "" before that
	Over   string // see Door
}

func (c Connect) Title(ctx context.Context) string {
	switch {
	case c.Over != "":
		return say(ctx, "This address has served its time")
	case c.Linked != "", c.Candidate != nil && c.Candidate.FormerName == "":
		return say(ctx, "Your Garmin account is linked")
	case c.Challenge != nil, c.Candidate != nil:
		return c.Link.Title(ctx)
	case c.Visit.Account != "":
		return say(ctx, "Sign in to Garmin again")
	default:
		return say(ctx, "Link your Garmin account")
	}
}

func (c Connect) step() int {
	switch {
	case c.Over != "":
		return noStep
	case c.Linked != "":
		return doneStep
	default:
		return c.Link.step()
	}
}

func (c Connect) Render(ctx context.Context, w io.Writer) error { return connectPage(c).Render(ctx, w) }
