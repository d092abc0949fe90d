package views

import (
	"context"
	"io"
)

// Export is the page of GET /link/export, with the form of POST /link/export,
// which answers with a file. It never carries the password.
type Export struct {
	Format        string // garth or garminconnect
	Renewal       bool   // with what renews the session
	FormatError   string
	PasswordError string
	Problem       *Problem
}

func (Export) Title(ctx context.Context) string { return say(ctx, "Take a copy of the session") }

func (e Export) Render(ctx context.Context, w io.Writer) error { return export(e).Render(ctx, w) }
