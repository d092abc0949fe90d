package views

import "strings"

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
}

func (c Challenge) label() string {
	if c.Method == "app" {
		return "Code from your authenticator app"
	}
	return "Code from Garmin"
}

func (c Challenge) sent() string {
	switch c.Method {
	case "email":
		return "Garmin sent it by e-mail" + to(c.SentTo) + ". It can take a minute; look in the spam folder too."
	case "sms":
		return "Garmin sent it by text message" + to(c.SentTo) + "."
	case "app":
		return "Open the app and type the code that it shows for Garmin."
	default:
		return "Look in your e-mail, your text messages or your authenticator app."
	}
}

func to(where string) string {
	if where == "" {
		return ""
	}
	return " to " + strings.ReplaceAll(where, " ", "\u00a0") // a phone number stays on one line
}
