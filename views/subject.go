package views

import (
	"context"
	"io"
)

// SubjectPage is the page of GET /support/users/{user}: all that staff may know
// of one user's link, and may do for him.
type SubjectPage struct {
	Path     string // of the page
	Notice   string
	Problem  *Problem
	HeldBack []HeldBack
	Subject  Subject
	ID       string
	Facts    []Fact
	Waiting  string // of a login that waits for a code; "" if none does

	Live, Linked bool // there is a session; there is a link
	FormID       string
	Note         string // as entered
	NoteError    string
	Why          string // as entered, to clear the session
	WhyError     string

	Timeline []Occurrence
	Pager    Pager
}

// Fact is a line of what is known. It has a Moment or a Text.
type Fact struct {
	Name   string
	Moment Moment
	Text   string
}

// Occurrence is a line of the timeline.
type Occurrence struct {
	At        Moment
	What      string
	Trouble   bool // it did not go well
	Who       string
	Details   []string
	Note      string
	Reference string // what users tell support
}

func (s SubjectPage) Title(ctx context.Context) string { return s.Subject.Name }

func (s SubjectPage) Render(ctx context.Context, w io.Writer) error {
	return subjectPage(s).Render(ctx, w)
}

// Add adds a detail under a name, if it says something.
func (o *Occurrence) Add(name, text string, says bool) {
	if !says {
		return
	}
	if name != "" {
		text = name + ": " + text
	}
	o.Details = append(o.Details, text)
}
