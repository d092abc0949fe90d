package views

import (
	"context"
	"io"
)

// Settings is the page of GET /settings, with the forms below it. It never
// carries a password.
type Settings struct {
	Notice  string
	Problem *Problem

	Linked bool // there is a link, working or not
	Live   bool // it works

	SendsMails bool // this installation does
	Mails      bool // the user wants them

	Languages     []Choice // by BCP 47 tag; "" for the browser's
	LanguageError string

	SignIns []SignedIn

	PasswordRule  string
	OldError      string
	PasswordError string
}

// SignedIn is one browser in which the user is signed in.
type SignedIn struct {
	Here  bool // it is this one
	Began Moment
	Seen  Moment
}

func (Settings) Title(ctx context.Context) string { return say(ctx, "Settings") }

func (s Settings) Render(ctx context.Context, w io.Writer) error { return settings(s).Render(ctx, w) }

func (s Settings) passwordFaulty() bool { return s.OldError != "" || s.PasswordError != "" }

// others says that the user is signed in elsewhere, too.
func (s Settings) others() bool { return len(s.SignIns) > 1 }
