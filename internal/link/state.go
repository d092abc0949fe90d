package link

import (
	"errors"
	"fmt"
)

// ErrTransition says that an event cannot happen in a state.
var ErrTransition = errors.New("link: no such transition")

// Session says what a link holds of Garmin's session.
type Session uint8

const (
	None Session = iota // never linked, or unlinked
	Live                // session_data is set
	Dead                // session_data was cleared, for a reason that the row keeps
)

// State is all that decides what may happen to a link next. Its zero value is
// a user without a link.
type State struct {
	Session   Session
	Challenge bool // Garmin waits for an MFA code
}

// Event is something that happened to a link.
type Event string

const (
	LoginDone        Event = "login_done"         // Garmin took the password and asked for no code, or a candidate was accepted
	CodeAsked        Event = "code_asked"         // Garmin took the password and wants a code
	CodeAccepted     Event = "code_accepted"      // Garmin took the code and the session works
	SetAside         Event = "set_aside"          // the login led to another Garmin account, or stands under a connect session: it waits as a candidate
	Cancelled        Event = "cancelled"          // the user gave the challenge up
	Expired          Event = "expired"            // the challenge ran out of time
	AttemptsSpent    Event = "attempts_spent"     // the challenge ran out of attempts
	Failed           Event = "failed"             // Garmin ended the login, or took the code and then gave no session
	Imported         Event = "imported"           // the user brought a session of his own
	Exported         Event = "exported"           // the user took a copy of the session away
	WrittenBack      Event = "written_back"       // a worker returned a session that it refreshed
	Expiring         Event = "expiring"           // an end came within a week that only the user averts
	Averted          Event = "averted"            // the end that was announced stands no more
	Rejected         Event = "rejected"           // Garmin definitively refuses the session
	ClearedBySupport Event = "cleared_by_support" // staff took the session away
	Unlinked         Event = "unlinked"           // the user removed the link
	RelinkAsked      Event = "relink_asked"       // support has made an address at which the user can sign in again
	CheckAsked       Event = "check_asked"        // support has Garmin asked whether the session works
	Noted            Event = "noted"              // support wrote something down
)

// Events lists every event, in the order above.
var Events = []Event{
	LoginDone, CodeAsked, CodeAccepted, SetAside, Cancelled, Expired, AttemptsSpent, Failed,
	Imported, Exported, WrittenBack, Expiring, Averted, Rejected, ClearedBySupport, Unlinked, RelinkAsked, CheckAsked, Noted,
}

// Next is the one place that knows how a link moves. It fails with
// ErrTransition for an event that cannot happen in the state.
func Next(s State, e Event) (State, error) {
	switch e {
	case LoginDone, Imported:
		return State{Session: Live}, nil
	case CodeAsked:
		return State{Session: s.Session, Challenge: true}, nil
	case CodeAccepted:
		if s.Challenge {
			return State{Session: Live}, nil
		}
	case SetAside:
		return State{Session: s.Session}, nil
	case Cancelled, Expired, AttemptsSpent, Failed:
		if s.Challenge {
			return State{Session: s.Session}, nil
		}
	case Noted:
		return s, nil
	case Exported, WrittenBack, Expiring, Averted, CheckAsked:
		if s.Session == Live {
			return s, nil
		}
	case Rejected, ClearedBySupport:
		if s.Session == Live {
			return State{Session: Dead, Challenge: s.Challenge}, nil
		}
	case RelinkAsked:
		if s.Session != None {
			return s, nil
		}
	case Unlinked:
		if s != (State{}) {
			return State{}, nil
		}
	}
	return s, fmt.Errorf("%w: %s in %s", ErrTransition, e, s)
}

// String names the state as people and link_events see it.
func (s State) String() string {
	switch {
	case s.Challenge:
		return "mfa_pending"
	case s.Session == Live:
		return "active"
	case s.Session == Dead:
		return "reauth_needed"
	default:
		return "not_linked"
	}
}
