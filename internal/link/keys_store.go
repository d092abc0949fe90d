package link

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// KeyStore is the part of a Store that keys are rotated with.
type KeyStore interface {
	// KeyUses counts what is sealed under each key.
	KeyUses(ctx context.Context) ([]KeyUse, error)

	// Held lists up to most values that stand sealed in one place under one
	// key, in rows after the given one, in order; those that must not be
	// re-sealed now are among them.
	Held(ctx context.Context, in Holding, key uint32, after uuid.UUID, most int) ([]Held, error)

	// Reseal puts fresh in the place of old's ciphertext, and reports whether
	// it did: not if anything but the key would have changed by it, nor while
	// a refresh is under way, as that puts back what it has read.
	Reseal(ctx context.Context, old Held, fresh Sealed) (done bool, err error)

	// Beat records that a replica is alive, forgets those that were not seen
	// for life, and returns the key that is to seal. Of a Beat and a Promote
	// at once, the later sees what the earlier has written.
	Beat(ctx context.Context, r Replica, life time.Duration) (sealing uint32, err error)

	// Leave forgets a replica.
	Leave(ctx context.Context, replica uuid.UUID) error

	// Replicas lists those that were seen within life, the oldest first.
	Replicas(ctx context.Context, life time.Duration) ([]Replica, error)

	// Promote makes a key the one that seals, unless replicas that were seen
	// within life lack it: then it changes nothing and returns those.
	Promote(ctx context.Context, key uint32, life time.Duration) (lacking []Replica, err error)
}

// Holding is a place where sealed values stand; its text is for people.
type Holding string

const (
	HeldSession   Holding = "sessions"
	HeldPrevious  Holding = "previous sessions"
	HeldCandidate Holding = "candidates"
	HeldChallenge Holding = "challenges"
	HeldConsumer  Holding = "OAuth1 consumer"
	HeldMACKey    Holding = "key of limits"

	HeldWebhookSecret       Holding = "webhook secrets"
	HeldFormerWebhookSecret Holding = "former webhook secrets"
)

// KeyUse says how many rows of one place need a key.
type KeyUse struct {
	Key  uint32
	In   Holding
	Rows int
}

// Held is a sealed value where it stands. Of User, ID and Generation it has
// those that its associated data binds.
type Held struct {
	Sealed
	In         Holding
	Row        uuid.UUID // tells it apart from others in its place; zero: there is one
	User       uuid.UUID
	ID         string // of a challenge or webhook; of a candidate, its connect session; the OAuth1 consumer's key
	Generation int64
}

// Replica is a running process and the keys that it has.
type Replica struct {
	ID                uuid.UUID
	Host, Version     string
	Keys              []uint32
	SealingKey        uint32 // that it seals with
	StartedAt, SeenAt time.Time
}
