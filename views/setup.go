package views

import (
	"context"
	"io"
)

// SetUp is the form of POST /setup, which makes the first admin. It never
// carries the token or the password.
type SetUp struct {
	Email         string // as entered
	PasswordRule  string // such as "10 to 128 characters"
	Problem       *Problem
	TokenError    string
	EmailError    string
	PasswordError string
}

func (SetUp) Title(ctx context.Context) string { return say(ctx, "Set up this installation") }

func (s SetUp) Render(ctx context.Context, w io.Writer) error { return setUp(s).Render(ctx, w) }

func (s SetUp) faulty() bool {
	return s.TokenError != "" || s.EmailError != "" || s.PasswordError != ""
}
