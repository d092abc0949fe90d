package views

import (
	"context"
	"io"
)

// Webhooks is the page of GET /support/webhooks: who is told of what, and how
// that went. Endpoints are made by the command line, which shows their secrets.
type Webhooks struct {
	Notice    string
	Problem   *Problem
	Endpoints []Endpoint
	Failed    bool // the log has those alone that failed
	Log       []Delivery
	Most      int // of the log
}

// Endpoint is an address that is told of events.
type Endpoint struct {
	URL          string
	Events       string
	Standing     string
	Disabled     bool
	Waiting      int
	LastSuccess  Moment
	FailingSince Moment
}

// Delivery is one event for one endpoint.
type Delivery struct {
	ID       string
	Type     string
	URL      string
	UserHref string // "" of a test
	State    string
	At       Moment
	Next     Moment // of one that waits
	Attempts []string
}

func (Webhooks) Title(ctx context.Context) string { return say(ctx, "Webhooks") }

func (v Webhooks) Render(ctx context.Context, w io.Writer) error { return webhooks(v).Render(ctx, w) }
