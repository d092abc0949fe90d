package views

import (
	"context"
	"io"
)

// Mail is the page to which a mail leads those who want no more of them.
type Mail struct {
	Token   string // of the mail's address
	Off     bool   // they get none any more
	Notice  string
	Problem *Problem
}

func (Mail) Title(ctx context.Context) string { return say(ctx, "Mails about your Garmin link") }

func (m Mail) Render(ctx context.Context, w io.Writer) error { return mailPage(m).Render(ctx, w) }
