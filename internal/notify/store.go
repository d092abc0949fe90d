package notify

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/link"
)

// Feed tells what happened after an event, in order: at most so many, of all
// types if none is named. link.Service is one.
type Feed interface {
	Happened(ctx context.Context, after int64, types []link.EventType, most int) ([]link.Happening, error)
}

// Store keeps endpoints and deliveries. It handles sealed bytes only. Its times
// are the database's.
type Store interface {
	// AddEndpoint keeps an endpoint, which is told of what happens from then on.
	AddEndpoint(ctx context.Context, e Endpoint, secret link.Sealed) error

	// Endpoints lists all, the oldest first.
	Endpoints(ctx context.Context) ([]Endpoint, error)

	// Rotate makes a secret the one that signs; the former one signs too for a
	// time. It fails with ErrNotFound, as all that name an endpoint do.
	Rotate(ctx context.Context, endpoint uuid.UUID, secret link.Sealed, overlap time.Duration) error

	// Disable ends that an endpoint is told. Enable has it told of what
	// happens from then on, and of what has waited. Both are no error if it is
	// so already, and change nothing then.
	Disable(ctx context.Context, endpoint uuid.UUID, why Disabling) error
	Enable(ctx context.Context, endpoint uuid.UUID) error

	// RemoveEndpoint forgets an endpoint, and all that it was told.
	RemoveEndpoint(ctx context.Context, endpoint uuid.UUID) error

	// AddTest keeps a delivery that is no event. It fails with ErrNotFound and
	// ErrDisabled.
	AddTest(ctx context.Context, d Delivery) error

	// Cursor is the last event that deliveries were made of.
	Cursor(ctx context.Context) (int64, error)

	// Queue keeps deliveries and moves the cursor in one transaction, unless the
	// cursor has moved already: then it does nothing. It leaves out events from
	// before their endpoint was added or enabled, and endpoints that have gone.
	Queue(ctx context.Context, from, to int64, deliveries []Delivery) error

	// Due lists the enabled endpoints to which something can be sent now, and
	// how many deliveries, counted up to most.
	Due(ctx context.Context, most int) ([]Due, error)

	// Claim takes the delivery that has been due to an endpoint the longest for
	// as long as the lease, and notes that an attempt begins. Of the deliveries
	// of one link only the first that waits can be due. It fails with
	// ErrNotFound if there is none.
	Claim(ctx context.Context, endpoint uuid.UUID, lease time.Duration) (Claimed, error)

	// ClaimOne takes one delivery, also one that was delivered or given up. It
	// fails with ErrNotFound, ErrDisabled and ErrBusy.
	ClaimOne(ctx context.Context, delivery uuid.UUID, lease time.Duration) (Claimed, error)

	// Settle records what came of an attempt and gives the delivery back. If
	// another has claimed it meanwhile, the record is all.
	Settle(ctx context.Context, c Claimed, a Answer, v Verdict) error

	// Log lists deliveries with their attempts, the latest first.
	Log(ctx context.Context, q Query) ([]Logged, error)

	// Backlog tells how many deliveries wait for enabled endpoints, and for how
	// long the oldest does.
	Backlog(ctx context.Context) (waiting int, oldest time.Duration, err error)

	// Clean forgets deliveries that are older than keep, and secrets that sign
	// no more.
	Clean(ctx context.Context, keep time.Duration) error
}

// Due says that something can be sent to an endpoint.
type Due struct {
	Endpoint   uuid.UUID
	Deliveries int
}

// State says how far a delivery has come.
type State string

const (
	Waiting   State = "waiting"
	Delivered State = "delivered"
	GivenUp   State = "given_up"
)

// Delivery is one event for one endpoint. Its id stays the same in all attempts.
type Delivery struct {
	ID       uuid.UUID
	Endpoint uuid.UUID
	Event    int64     // zero: a test
	User     uuid.UUID // zero of a test
	Type     link.EventType
	Body     string
	State    State
}

// Claimed is a delivery that is about to be sent.
type Claimed struct {
	Delivery
	Number   int   // of this attempt, from 1; it also says whose claim is the last
	Failures int   // so far, by the endpoint's fault
	Attempt  int64 // names it in the record
	URL      string
	At       time.Time
	Secret   link.Sealed
	Former   link.Sealed // signs too; zero: there is none
}

// Verdict is what an attempt means.
type Verdict struct {
	State State         // of the delivery
	Wait  time.Duration // of one that waits: until the next attempt
	Pause time.Duration // until anything may be sent to the endpoint
	Ours  bool          // it says nothing of the endpoint
	Gone  bool          // the endpoint wants nothing any more
}

// Query says which deliveries are meant; what is zero says nothing.
type Query struct {
	Endpoint uuid.UUID
	User     uuid.UUID
	Failed   bool // only those whose last attempt failed
	Most     int
}

// Logged is a delivery with its attempts.
type Logged struct {
	Delivery
	CreatedAt time.Time
	NextAt    time.Time // of one that waits
	Attempts  []Attempt // the earliest first
}

// Attempt is one that was made. Without an end it is under way, or its process
// has died.
type Attempt struct {
	At time.Time
	Answer
	Ended bool
}
