package views

import (
	"context"
	"io"
)

// Whose side a problem is on.
const (
	SideYou    = "you"
	SideGarmin = "garmin"
	SideUs     = "us"
)

// Problem tells what went wrong, whose side it is on and what to do next. It
// is a page of its own, or stands on top of the page that it happened on.
type Problem struct {
	Title        string
	Text         string
	Action       string // what to do next; may be ""
	Side         string // SideYou, SideGarmin or SideUs
	RetrySeconds int    // until trying again makes sense; 0: unknown or at once
	Reference    string // what support finds it by; "" hides the line
}

// ProblemPage is a Problem alone, such as 404 or 500.
type ProblemPage struct{ Problem }

func (p ProblemPage) Title(ctx context.Context) string { return p.Problem.Title }

func (p ProblemPage) Render(ctx context.Context, w io.Writer) error {
	return problemPage(p.Problem).Render(ctx, w)
}
