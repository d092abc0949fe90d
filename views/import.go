package views

import (
	"context"
	"io"
)

// Import is the page of GET /link/import, with the form of POST /link/import.
// It never carries the session.
type Import struct {
	FormID       string // see GarminForm
	SessionError string
	Reference    string // of SessionError, for support
	Problem      *Problem
}

func (Import) Title(ctx context.Context) string { return say(ctx, "Use a session that you have") }

func (i Import) Render(ctx context.Context, w io.Writer) error { return importPage(i).Render(ctx, w) }
