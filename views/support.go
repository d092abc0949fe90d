package views

import (
	"context"
	"io"
)

// Support is the page of GET /support: how all links are doing.
type Support struct {
	Counters Counters
	HeldBack []HeldBack
	Charts   []Chart
	Reasons  Bars
}

// Counters tell how many links there are, and are drawn again and again by GET
// /support/counters.
type Counters struct {
	States []Counter
	AsOf   Moment // zero: nothing was counted yet
}

// Counter is how many links stand in one state.
type Counter struct {
	State string // see Status
	Name  string
	Count int
	Href  string // to the list of them; "" if there is none
}

// HeldBack is something that Garmin, or its failing, holds back.
type HeldBack struct {
	Title string
	Text  string
	Until Moment
}

func (Support) Title(ctx context.Context) string { return say(ctx, "How links are doing") }

func (s Support) Render(ctx context.Context, w io.Writer) error { return support(s).Render(ctx, w) }
