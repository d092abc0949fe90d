package link

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/google/uuid"
)

// Actor says who acts: it stands in the history of the link.
type Actor string

const (
	ByUser    Actor = "user"
	BySupport Actor = "support"
	BySystem  Actor = "system"
	ByWorker  Actor = "worker" // a program, by the API
)

// Act says on whose link something is done, by whom and within which request.
type Act struct {
	User      uuid.UUID
	By        Actor
	Token     uuid.UUID // the service token of the program that acts; zero if none does
	Staff     uuid.UUID // who acts BySupport
	RequestID string
	Connect   uuid.UUID // the connect session that it is done under; zero for none
}

// Credentials are what a user types for Garmin. They live in memory for the
// length of one request and print as [redacted]; keep them out of unexported
// fields, whose methods fmt does not call.
type Credentials struct {
	Email, Password, Region string

	// Form names the form that was sent, so that sending it twice is one
	// login; zero if it has no name.
	Form uuid.UUID
}

// Secret is a text that prints as [redacted]; only Reveal gives it.
type Secret = garmin.Secret

const redacted = "[redacted]"

func (Credentials) Format(f fmt.State, _ rune)   { _, _ = io.WriteString(f, redacted) }
func (Credentials) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (Credentials) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Reason says why a link needs its user again.
type Reason string

const (
	GrantRefused     Reason = "grant_refused" // Garmin no longer renews the session
	TokenRefusal     Reason = "token_refused" // Garmin's API refuses what its sign-in hands out
	SupportClearance Reason = "cleared_by_support"

	// WithRenewal stands with Exported in the history: the copy can renew
	// itself, which may end the link.
	WithRenewal Reason = "with_renewal"
)

// DeadReasons are the reasons of links whose session is Dead.
var DeadReasons = []Reason{GrantRefused, TokenRefusal, SupportClearance}

// Link is all that may be told about a link. It has no field for a token.
type Link struct {
	State       State
	Region      string
	GarminEmail string // as typed by the user
	GarminName  string
	Reason      Reason // set when the session is Dead

	CreatedAt     time.Time
	Since         time.Time // when it came into this state
	LastValidated time.Time // zero until the first success
	RefreshedAt   time.Time // zero before the first refresh
	ExpiresAt     time.Time // of the access token, which refreshing moves
	EndsAt        time.Time // of the session, which refreshing does not move; zero: none is known
	NextCheck     time.Time // when it is validated next, if nobody asks for it before; zero without a session
	RefusedSince  time.Time // Garmin refuses what it handed out, and is not believed yet; zero: it does not

	ReportedAt      time.Time // when a worker said last how the session fared; zero: none has
	ReportedOutcome Outcome

	// ReconnectBefore is an end, within a week, that refreshing does not move;
	// zero if there is none.
	ReconnectBefore time.Time

	Challenge *Challenge
	Candidate *Candidate
	Asking    *Asking // a login is under way

	// HandoffFirst says that the way by Garmin's own page promises most: from
	// here, Garmin turned the last login away.
	HandoffFirst bool

	// AsOf is the database's clock at the reading: what "ago" and "left" are
	// counted from, so that a replica with a wrong clock tells the same.
	AsOf time.Time
}

// Ways in which Garmin delivers an MFA code.
const (
	MethodEmail   = "email"
	MethodSMS     = "sms"
	MethodApp     = "app"
	MethodUnknown = "unknown"
)

// Challenge is a login that waits for an MFA code.
type Challenge struct {
	ID           uuid.UUID
	Method       string
	SentTo       string // masked by Garmin; empty if it did not say
	AttemptsLeft int
	ExpiresAt    time.Time
	ResendAt     time.Time // not before then
}

// Asking is a login under way.
type Asking struct {
	Since       time.Time
	PausedUntil time.Time // it waits as a person would, for Garmin to believe that it is one; zero: it does not
}

// Candidate is a fresh session that waits: one of another Garmin account than
// the linked one for a yes, one of a connect session for the host.
type Candidate struct {
	Generation  int64 // names the candidate in forms
	GarminName  string
	GarminEmail string
	Replaces    bool // another Garmin account that is linked
	ExpiresAt   time.Time
}
