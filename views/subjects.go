package views

import (
	"context"
	"io"
)

// Subjects is the page of GET /support/links: links, or who a search has found.
type Subjects struct {
	Filter   Filter
	HeldBack []HeldBack
	List     []Subject
	Crowded  bool   // the search has found more than is looked at
	CSV      string // an address; "" if there is nothing to have
	Pager    Pager
}

// Filter is what narrows the list down, as entered.
type Filter struct {
	Text     string
	States   []Choice
	Reasons  []Choice
	Regions  []Choice
	Before   string // such as 2026-11-22
	Orders   []Choice
	Narrowed bool // one of them says something
}

// Subject is a line of the list.
type Subject struct {
	Href       string
	Name       string // an e-mail address or an id
	ExternalID string
	GarminName string
	Region     string
	State      string
	StateName  string
	Reason     string // of ReauthNeeded, in a word or two
	Validated  Moment
	Updated    Moment
}

func (Subjects) Title(ctx context.Context) string { return say(ctx, "Links") }

func (s Subjects) Render(ctx context.Context, w io.Writer) error { return subjects(s).Render(ctx, w) }
