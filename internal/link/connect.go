package link

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"time"

	"github.com/google/uuid"
)

const (
	connectLife = 30 * time.Minute // from its creation to the last step that its user may begin
	mailedLife  = 72 * time.Hour   // of one that is mailed, likewise
	codeLife    = 10 * time.Minute // from the user's return until the code is too old

	maxCompletions = 5 // wrong codes

	// repeatTime is for how long a request with the same key is the same one.
	repeatTime = 24 * time.Hour
)

// Purpose says what a user is sent over for.
type Purpose string

const (
	ToLink   Purpose = "link"   // a Garmin account of his choice
	ToRelink Purpose = "relink" // the Garmin account that was linked, and no other
)

// ConnectStatus is how a connect session stands.
type ConnectStatus string

const (
	ConnectOpen       ConnectStatus = "open"       // it waits for its user
	ConnectLinked     ConnectStatus = "linked"     // he has linked; of ToLink, the host has to complete it
	ConnectCompleted  ConnectStatus = "completed"  // by the host
	ConnectCancelled  ConnectStatus = "cancelled"  // by its user
	ConnectExpired    ConnectStatus = "expired"    // before anything came of it
	ConnectSuperseded ConnectStatus = "superseded" // the link was removed, or another way has led to something in its place
	ConnectRefused    ConnectStatus = "refused"    // too many wrong codes
)

// ConnectSession is a visit of a user whom a host application, or our support,
// has sent here to link. What it leads to is a candidate until the host
// completes it: only the host knows whether the one who comes back is the one
// whom it sent. A relink needs no such proof, as it takes no other account.
type ConnectSession struct {
	ID, User uuid.UUID
	Token    uuid.UUID // the service token that made it; zero if staff did
	Staff    uuid.UUID // who of the staff made it; zero if a host did
	Purpose  Purpose

	ReturnURL string // "": to our own first page
	State     string // the host's; given back as it is
	Region    string // that the form starts with; "" if the host does not say
	Locale    string // BCP 47; "" if the host does not say

	Key     string // of an idempotent request
	Request []byte // its hash

	Browser        []byte // hash of the secret of the browser that it is bound to; nil: of none yet
	CodeGeneration int64  // of the session that it has led to
	Waiting        bool   // that is a candidate, which still waits
	Asked          bool   // Garmin waits for a code, for a login that was begun in time
	Tries          int    // wrong codes

	CreatedAt, ExpiresAt, BoundAt time.Time
	ReturnedAt                    time.Time // when its user was sent back, for the last time
	EndedAt                       time.Time
	Outcome                       ConnectStatus // once it has ended

	// For display.
	Email, ExternalID string // of the user
	Application       string // the name of Token
	Account           string // of ToRelink: what the Garmin account calls itself, or a hint of its e-mail
	Now               time.Time
}

// ErrKeyTaken says that an idempotency key was used before.
var ErrKeyTaken = errors.New("link: this idempotency key was used")

// ConnectStore is the part of a Store that keeps connect sessions. New ones are
// written by Update, and changed under an Act that names them.
type ConnectStore interface {
	// Connect reads a connect session. It fails with ErrNotFound.
	Connect(ctx context.Context, id uuid.UUID) (ConnectSession, error)

	// ConnectByKey finds the connect session that a token or one of the staff
	// has made under an idempotency key within a time, and takes the key from
	// an older one. It fails with ErrNotFound.
	ConnectByKey(ctx context.Context, maker uuid.UUID, key string, within time.Duration) (ConnectSession, error)
}

// Status tells how it stood when it was read.
func (c *ConnectSession) Status() ConnectStatus {
	switch {
	case c.Outcome != "":
		return c.Outcome
	case c.Waiting, c.relinked():
		return ConnectLinked
	case !c.Begins() && !c.Asked:
		return ConnectExpired
	default:
		return ConnectOpen
	}
}

// Over reports that it led no further when it was read. Of a relink that nobody
// has completed that comes later than its status tells: the link is a fact.
func (c *ConnectSession) Over() bool {
	status := c.Status()
	return status != ConnectOpen && status != ConnectLinked || c.closed(c.Now)
}

// Begins reports that a login could still be begun under it when it was read.
func (c *ConnectSession) Begins() bool { return !c.over(c.Now) }

// relinked says that it has made the link live.
func (c *ConnectSession) relinked() bool { return c.Purpose == ToRelink && c.CodeGeneration != 0 }

// over says that nobody can begin anything under it any more.
func (c *ConnectSession) over(now time.Time) bool {
	return c.Outcome != "" || !now.Before(c.ExpiresAt)
}

// closed says that what was begun under it comes too late.
func (c *ConnectSession) closed(now time.Time) bool {
	return c.Outcome != "" || !now.Before(c.candidateEnd())
}

// candidateEnd leaves a user who came at the last moment the life of his code.
func (c *ConnectSession) candidateEnd() time.Time { return c.ExpiresAt.Add(codeLife) }

func (c *ConnectSession) end(outcome ConnectStatus, now time.Time) {
	c.Outcome, c.EndedAt = outcome, now
}

func (c *ConnectSession) isBrowser(secret Secret) bool {
	return c.Browser != nil && subtle.ConstantTimeCompare(c.Browser, hashOf(secret)) == 1
}

func hashOf(secret Secret) []byte {
	sum := sha256.Sum256([]byte(secret.Reveal()))
	return sum[:]
}
