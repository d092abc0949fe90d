package notify

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/link"
)

// MailStore keeps notices: one for each user and event. Its times are the
// database's.
type MailStore interface {
	// MailCursor is the last event that notices were made of.
	MailCursor(ctx context.Context) (int64, error)

	// QueueMails keeps a notice of each event and moves the cursor to the last
	// of them in one transaction, unless the cursor has moved from where it was:
	// then it does nothing. It leaves out what is older than fresh, and users
	// who want no mail, have no address, or are a host application's unless
	// external.
	QueueMails(ctx context.Context, from int64, happened []link.Happening, external bool, fresh time.Duration) error

	// DueMails tells how many can be sent now, counted up to most: none while
	// the server is left alone.
	DueMails(ctx context.Context, most int) (int, error)

	// ClaimMail takes the notice that has been due the longest for as long as
	// the lease. It fails with ErrNotFound if there is none.
	ClaimMail(ctx context.Context, lease time.Duration, external bool) (ClaimedMail, error)

	// SettleMail records what came of an attempt and gives the notice back,
	// unless another has claimed it meanwhile.
	SettleMail(ctx context.Context, n ClaimedMail, v MailVerdict) error

	// MailBacklog tells how many notices wait, and for how long the oldest does.
	MailBacklog(ctx context.Context) (waiting int, oldest time.Duration, err error)

	// CleanMails forgets notices that are older than keep.
	CleanMails(ctx context.Context, keep time.Duration) error
}

// MailState says how far a notice has come.
type MailState string

const (
	MailWaiting MailState = "waiting"
	MailSent    MailState = "sent"
	MailGivenUp MailState = "given_up" // the server refused it for good, or for a day
	MailDropped MailState = "dropped"  // it was not to be told any more
)

// ClaimedMail is a notice that is about to be sent.
type ClaimedMail struct {
	User   uuid.UUID
	Event  int64
	Number int  // of this attempt, from 1; it also says whose claim is the last
	Wanted bool // nothing the world is told of has happened to the link since, and the user still wants mails

	Failures int // so far
	Type     link.EventType
	Reason   link.Reason // of LinkReauthNeeded
	EndsAt   time.Time   // of LinkExpiring
	At, Now  time.Time   // when it happened, and when it was read

	Address string
	OfHost  bool // the user is a host application's

	// Language is what the user has set, or what the pages or his host last
	// spoke to him, as BCP 47; "" if nobody knows.
	Language string
}

// MailVerdict is what an attempt means.
type MailVerdict struct {
	State  MailState
	Failed bool          // it counts against the notice
	Wait   time.Duration // of one that waits: until the next attempt
	Pause  time.Duration // until anything is sent
	Error  string        // our own words, for the record: a server's may be anything
}
