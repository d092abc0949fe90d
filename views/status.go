package views

import "context"

// The states of a link as people see them.
const (
	NotLinked    = "not_linked"
	Active       = "active"
	MFAPending   = "mfa_pending"
	ReauthNeeded = "reauth_needed"

	// Arrived is how a connect session stands: the user has linked, and goes back.
	Arrived = "arrived"
)

// StateName is a state in the words of staff.
func StateName(ctx context.Context, state string) string {
	if state == MFAPending {
		return say(ctx, "Waiting for a code")
	}
	return Status{State: state}.badge(ctx)
}

// Status says how the link is doing. It is drawn again and again by
// GET /link/status?shown=<state>.
type Status struct {
	State       string // NotLinked, Active, MFAPending, ReauthNeeded or Arrived
	Brief       bool   // the state alone, without whose it is and since when, and only asked for from time to time
	Shown       string // the query's "shown": the state that the page around it was drawn for; "" on the page itself
	GarminName  string
	GarminEmail string
	Region      string // garmin.com or garmin.cn
	Reason      string // of ReauthNeeded, in words
	Side        string // of ReauthNeeded: whose doing it is
	Since       Moment // of ReauthNeeded: when the session ended
	LinkedSince Moment

	// Reconnect is by when, as the access ends then and cannot be renewed;
	// zero: it need not be.
	Reconnect Deadline

	LastValidated Moment // zero: never
	Renewed       Moment // when the access was last refreshed; zero: never
	NextCheck     Moment // zero: none is planned
	Ends          Moment // of the session, whatever we do; zero: no end is known
	Report        *Report
	Trouble       *Trouble
	Asking        *Asking
}

// Outcomes of a Report.
const (
	ReportOK           = "ok"
	ReportUnauthorized = "unauthorized"
	ReportRateLimited  = "rate_limited"
)

// Report is what a program said last of the session.
type Report struct {
	Outcome string
	At      Moment
}

func (r Report) words(ctx context.Context) string {
	switch r.Outcome {
	case ReportUnauthorized:
		return say(ctx, "Garmin refused it")
	case ReportRateLimited:
		return say(ctx, "Garmin asked it to slow down")
	default:
		return say(ctx, "It worked")
	}
}

// Asking is a sign-in to Garmin that is under way.
type Asking struct {
	Seconds      int // since it began
	PauseSeconds int // for which it still waits on purpose; 0: it does not
}

func (a Asking) words(ctx context.Context) string {
	said := say(ctx, "Asking Garmin.")
	if a.Seconds > 0 {
		said = sayN(ctx, a.Seconds, "Asking Garmin for {n} second now.", "Asking Garmin for {n} seconds now.")
	}
	if a.PauseSeconds > 0 {
		said += " " + sayN(ctx, a.PauseSeconds, "Garmin takes whoever is fast for a robot, so we wait as a person would: up to {n} second more.",
			"Garmin takes whoever is fast for a robot, so we wait as a person would: up to {n} seconds more.")
	}
	return said
}

// Moved says that the page around the status was drawn for another state.
func (s Status) Moved() bool { return s.Shown != "" && s.Shown != s.State }

func (s Status) shown() string {
	if s.Shown != "" {
		return s.Shown
	}
	return s.State
}

func (s Status) badge(ctx context.Context) string {
	switch s.State {
	case Active:
		return say(ctx, "Active")
	case MFAPending:
		return say(ctx, "Waiting for your code")
	case ReauthNeeded:
		return say(ctx, "Sign-in needed")
	case Arrived:
		return say(ctx, "Signed in to Garmin")
	default:
		return say(ctx, "Not linked")
	}
}

func (s Status) name() string {
	if s.GarminName != "" {
		return s.GarminName
	}
	return s.GarminEmail
}
