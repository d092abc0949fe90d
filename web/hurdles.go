package web

import (
	"strings"
	"time"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/views"
)

// lateTime is how long after its time a check must have been missed to be told
// of: jobs come in their turn.
const lateTime = time.Hour

// hurdles are what holds back a link, each until a time; zero: it does not.
type hurdles struct {
	passwords time.Time // Garmin takes none from here, or none of this account
	tokens    time.Time // Garmin wants to be asked for no access, whatever the way
	account   time.Time // Garmin wants this account left alone
	down      time.Time // Garmin fails
}

func hurdlesOf(held []link.CoolDown, asOf time.Time) (h hurdles) {
	for _, d := range held {
		until := asOf.Add(d.Left)
		switch hold, host := d.Holds(); {
		case hold == link.HoldsAccount:
			h.account, h.passwords = until, later(h.passwords, until)
		case hold == link.HoldsAddress && signsIn(host):
			h.passwords = later(h.passwords, until)
		case hold == link.HoldsAddress:
			h.tokens = later(h.tokens, until)
		case hold == link.HoldsHost && !signsIn(host):
			h.down = later(h.down, until)
		}
	}
	return h
}

// signsIn says that a host of Garmin's is asked by sign-ins alone.
func signsIn(host string) bool { return strings.HasPrefix(host, "sso.") }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (h hurdles) passwordsAlone() bool { return h.tokens.IsZero() && !h.passwords.IsZero() }

// pause is what to tell who is about to sign in to Garmin; nil: nothing.
func (h hurdles) pause(l link.Link) *views.Pause {
	switch {
	case !h.tokens.IsZero():
		return &views.Pause{Until: views.At(h.tokens, l.AsOf)}
	case h.passwordsAlone():
		return &views.Pause{Until: views.At(h.passwords, l.AsOf), PasswordsAlone: true}
	default:
		return nil
	}
}

// trouble is what stands between a link and its next proof; nil: nothing. What
// is about the link itself comes before what all links suffer.
func (h hurdles) trouble(l link.Link) *views.Trouble {
	at := func(t time.Time) views.Moment { return views.At(t, l.AsOf) }
	limited := later(h.tokens, h.account)
	switch {
	case l.State.Session != link.Live:
		return nil
	case !l.RefusedSince.IsZero():
		return &views.Trouble{Kind: views.TroubleRefused, Since: at(l.RefusedSince), Until: at(l.NextCheck)}
	case l.ReportedOutcome == link.WorkerUnauthorized && l.ReportedAt.After(l.LastValidated):
		return &views.Trouble{Kind: views.TroubleReported, Since: at(l.ReportedAt), Until: at(l.NextCheck)}
	case !limited.IsZero():
		return &views.Trouble{Kind: views.TroubleLimited, Until: at(limited)}
	case !h.down.IsZero():
		return &views.Trouble{Kind: views.TroubleDown}
	case !l.NextCheck.IsZero() && l.AsOf.Sub(l.NextCheck) > lateTime:
		return &views.Trouble{Kind: views.TroubleLate, Since: at(l.NextCheck)}
	default:
		return nil
	}
}
