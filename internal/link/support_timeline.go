package link

import "time"

// Source says which record an Occurrence is of.
type Source string

const (
	FromEvents   Source = "event"    // what changed, and acts of staff: see Event
	FromActivity Source = "activity" // what was asked of Garmin, or by programs, within 30 days: see Activity
	FromWebhooks Source = "webhook"  // what programs were told: see notify
	FromConnects Source = "connect"  // that the user was to be sent over by a host application
	FromMails    Source = "mail"     // what the user was told by e-mail: see notify
)

// Occurrence is one line of a link's timeline. Of its fields it has those that
// its source knows; none holds a secret.
type Occurrence struct {
	At        time.Time
	Source    Source
	What      string // an Event, an Activity's What, an EventType, or a Purpose
	Times     int    // that it stands for: what programs took out and reported without trouble is one line for an hour
	RequestID string

	From, To string // states
	Reason   Reason
	Note     string
	Actor    Actor
	Staff    string // who of them: an e-mail address
	Program  string // the name of the service token, or of the endpoint's host

	Flow, Region, Op string
	Outcome          string // of an activity, as there; of a webhook or mail, its state; of a connect session, its status
	Status           int
	Type             string
	Took             time.Duration
	Attempts         int // of a webhook or mail
}
