package views

import (
	"context"
	"strings"
)

// Challenge is the form of POST /link/mfa: Garmin paused the login and waits
// for a code.
type Challenge struct {
	ID            string
	Method        string // email, sms, app or unknown
	SentTo        string // masked by Garmin; may be ""
	AttemptsLeft  int
	SecondsLeft   int
	ResendSeconds int  // until a new code may be asked for; 0: now
	Relink        bool // the former session still stands
	CodeError     string
	Reference     string // of CodeError, for support
}

func (c Challenge) label(ctx context.Context) string {
	if c.Method == "app" {
		return say(ctx, "Code from your authenticator app")
	}
	return say(ctx, "Code from Garmin")
}

func (c Challenge) sent(ctx context.Context) string {
	to := strings.ReplaceAll(c.SentTo, " ", "\u00a0") // a phone number stays on one line
	switch {
	case c.Method == "email" && to != "":
		return say(ctx, "Garmin sent it by e-mail to {address}. It can take a minute; look in the spam folder too.", to)
	case c.Method == "email":
		return say(ctx, "Garmin sent it by e-mail. It can take a minute; look in the spam folder too.")
	case c.Method == "sms" && to != "":
		return say(ctx, "Garmin sent it by text message to {number}.", to)
	case c.Method == "sms":
		return say(ctx, "Garmin sent it by text message.")
	case c.Method == "app":
		return say(ctx, "Open the app and type the code that it shows for Garmin.")
	default:
		return say(ctx, "Look in your e-mail, your text messages or your authenticator app.")
	}
}
