package link

import (
	"context"
	"errors"
	"time"

	"github.com/garminlink/garminlink/internal/seal"
	"github.com/google/uuid"
)

// Errors of a Store.
var (
	ErrNotFound     = errors.New("link: not found")
	ErrAccountTaken = errors.New("link: another user has linked this Garmin account")
	ErrStoreDown    = errors.New("link: the database cannot be reached") // of any method; worth another try
)

// Store keeps links. It handles sealed bytes only.
type Store interface {
	// Record reads a user's link in one statement. A user without a link has
	// a record in the zero State.
	Record(ctx context.Context, user uuid.UUID) (Record, error)

	// Update lets decide change the record in one short transaction that
	// holds the user's lock, and writes what it changed together with its
	// entries. The record has a Fresh generation, and the connect session that
	// the act names; one that decide puts there is new. An error of decide changes
	// nothing and is returned as it is. It fails with ErrNotFound for an
	// unknown user or connect session, ErrAccountTaken and ErrKeyTaken.
	Update(ctx context.Context, act Act, decide func(*Record) error) error

	// Validated records in one statement that the session of this generation
	// was proved to work, and counts it as alive. It changes nothing if the
	// generation moved on.
	Validated(ctx context.Context, user uuid.UUID, generation int64, next time.Duration) error

	// CountDead counts one more session as dead, and returns how many were
	// counted as alive and as dead within a time.
	CountDead(ctx context.Context, within time.Duration) (alive, dead int, err error)

	// Refused returns how many sessions were counted as alive within a time,
	// and how many links were refused in it and still stand.
	Refused(ctx context.Context, within time.Duration) (alive, refused int, err error)

	// Due lists users whose sessions are due for a check, the longest due
	// first; Lapsed those with a challenge or candidate that is over.
	Due(ctx context.Context, most int) ([]uuid.UUID, error)
	Lapsed(ctx context.Context, most int) ([]uuid.UUID, error)

	// Postpone makes the session of this generation due no sooner than after
	// wait.
	Postpone(ctx context.Context, user uuid.UUID, generation int64, wait time.Duration) error

	// Clean removes what is kept for a time only, and makes room for what
	// comes.
	Clean(ctx context.Context) error

	// ClaimRefresh takes the lease of a link's refresh for one owner, if its
	// session is still the one seen and nobody holds the lease, and draws the
	// new generation, all in one statement. Otherwise claimed is false.
	ClaimRefresh(ctx context.Context, user uuid.UUID, seen int64, owner uuid.UUID, lease time.Duration) (c RefreshClaim, claimed bool, err error)

	// BeginLogin records a login at Garmin unless admit, given the link and
	// the user's logins of the last 24 hours under the user's lock, returns
	// an error. Logins under way for longer than lost end as OutcomeLost.
	BeginLogin(ctx context.Context, act Act, l Login, lost time.Duration, admit func(r *Record, recent []Login) error) error

	// GarminUser finds the user who has linked a Garmin account. It fails with
	// ErrNotFound.
	GarminUser(ctx context.Context, guid string) (uuid.UUID, error)

	// Login reads one login. It fails with ErrNotFound.
	Login(ctx context.Context, id uuid.UUID) (Login, error)

	// PauseLogin tells that a login waits for d before it goes on.
	PauseLogin(ctx context.Context, id uuid.UUID, d time.Duration) error

	// Note adds to the record of what Garmin was asked and answered.
	Note(ctx context.Context, a Activity) error

	// Consumer reads the OAuth1 consumer that was kept last, ErrNotFound
	// before KeepConsumer was called.
	Consumer(ctx context.Context) (Consumer, error)
	KeepConsumer(ctx context.Context, c Consumer) error

	// Installation reads what is fixed for this database, ErrNotFound before
	// Install was called. Install keeps the first of several.
	Installation(ctx context.Context) (Installation, error)
	Install(ctx context.Context, i Installation) error

	KeyStore
	ConnectStore
	EventStore
	HistoryStore
	SupportStore
	ProgramStore
}

// Installation is what all replicas share for ever, and which key seals.
type Installation struct {
	ID         uuid.UUID
	SealingKey uint32
	MACKey     Sealed // also the canary that finds a wrong keyset at start
}

// Sealed is a ciphertext and the id of its key; to a Store it is bytes.
type Sealed = seal.Sealed

// SealedSession is a Garmin session as it is kept.
type SealedSession struct {
	Sealed
	Generation       int64
	ExpiresAt        time.Time // of the access token
	RefreshExpiresAt time.Time // zero if unknown
}

// Record is a link as it is kept. Times are the database's.
type Record struct {
	User  uuid.UUID
	Now   time.Time
	State State

	Region, GarminEmail, GarminGUID, GarminName string

	Reason                          Reason
	CreatedAt, Since, LastValidated time.Time

	Session     SealedSession
	ObtainedAt  time.Time // when its access token came; zero of one from before that was kept
	EndsAt      time.Time // its end, if refreshing does not move it; zero if none is known
	WarnedOf    time.Time // the EndsAt that the world was told of
	RefreshedAt time.Time
	NextCheck   time.Time

	ReportedAt      time.Time // see Link; only read
	ReportedOutcome Outcome

	// Of a refresh: who does one, what was begun and not known to be ended,
	// the session that it replaced until the new one has worked once, and
	// since when Garmin refuses.
	LeaseOwner      uuid.UUID
	LeaseUntil      time.Time
	Intent          int64
	IntentAt        time.Time
	Previous        SealedSession
	GrantRefusedAt  time.Time
	APIRefusedSince time.Time // the first of an unbroken row of refusals
	APIRefusedAt    time.Time // the last

	Challenge *PendingChallenge
	Candidate *SealedCandidate
	Login     *Login // the login that is under way, if one is
	LastLogin Login  // the last that has ended; zero if none has within two days

	// Within Update.
	Entries     []Entry         // what it adds to the history
	Fresh       int64           // a generation that no session has had
	Connect     *ConnectSession // of the act
	EndConnects bool            // end all connect sessions of the user
	Displaced   uuid.UUID       // the connect session to end, as its candidate made room for another way
}

// PendingChallenge is a challenge as it is kept.
type PendingChallenge struct {
	ID           uuid.UUID
	Sealed       Sealed
	Region       string
	GarminEmail  string
	Method       string
	SentTo       string
	Attempts     int // claimed
	Claim        uuid.UUID
	ClaimedUntil time.Time
	SentAt       time.Time
	ExpiresAt    time.Time
	Connect      uuid.UUID // the connect session that it was begun under; zero: none
}

// SealedCandidate is a candidate as it is kept.
type SealedCandidate struct {
	Session                                     SealedSession
	Region, GarminEmail, GarminGUID, GarminName string
	ProvedAt                                    time.Time // when Garmin's API took it
	ExpiresAt                                   time.Time
	Connect                                     uuid.UUID // the connect session that it waits for; zero: for its user's yes
}

// Way is how a user brings a Garmin session.
type Way string

const (
	ByPassword Way = "password"
	ByHandoff  Way = "handoff" // he signed in on Garmin's own page and brought a ticket
	ByImport   Way = "import"  // he brought a session of another program's
)

// Login is one attempt to link, by any way. Outcome is a Kind or one of the
// outcomes below; empty while the login is under way.
type Login struct {
	ID          uuid.UUID
	Way         Way
	Form        uuid.UUID // that asked for it; zero if unknown
	Subject     []byte    // MAC of the e-mail, ticket or session that it came with
	Withdrawn   bool      // the user unlinked meanwhile: the result does not count
	StartedAt   time.Time
	PausedUntil time.Time // it waits so long before it sends the password; zero: it does not
	EndedAt     time.Time
	Outcome     string
	RetryAt     time.Time
}

// Outcomes of a login that are no Kind.
const (
	outcomeLinked    = "linked"
	outcomeChallenge = "challenge"
	outcomeCandidate = "candidate"
	outcomeWithdrawn = "withdrawn"
	OutcomeLost      = "lost" // its process died
)

// Activity is one thing that was done at Garmin, for support and charts. It
// holds no secret.
type Activity struct {
	User      uuid.UUID
	Token     uuid.UUID // of the program that did it; zero if none did
	RequestID string
	What      string // login, handoff, import, write_back or refused; check-outs and reports go on record by themselves
	Flow      string // of a login: ios, android, widget or portal
	Region    string
	Op        string // the operation that was asked last
	Outcome   string // a kind of internal/garmin's or, after a hand-off or import, of ours, or fault; "" for success
	Status    int    // HTTP status of a refusal, 0 without an answer
	Type      string // Garmin's own word
	Took      time.Duration
}

// Consumer signs OAuth1 requests.
type Consumer struct {
	Key       string
	Secret    Sealed
	FetchedAt time.Time // by the database's clock, which Now is a reading of
	Now       time.Time
}

// shutOut reports that Garmin turned the login away without a look at the
// password.
func (l Login) shutOut() bool {
	if l.Way != ByPassword {
		return false
	}
	switch Kind(l.Outcome) {
	case Blocked, Captcha, RateLimited:
		return true
	}
	return false
}

// RefreshClaim is the right to refresh one session once.
type RefreshClaim struct {
	Generation int64 // for the new session
	Unfinished bool  // an earlier refresh was begun and is not known to have ended
}

// Entry is one line of a link's history.
type Entry struct {
	Event    Event
	From, To State
	Reason   Reason
	By       Actor     // "" for the one of the Act
	EndsAt   time.Time // of Expiring
	Note     string    // of staff
}
