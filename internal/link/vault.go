package link

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/seal"
	"github.com/google/uuid"
)

// ErrWrongKeyset says that the keyset cannot open what this database holds.
var ErrWrongKeyset = errors.New("link: the keyset does not open what this database holds")

// ErrUnreadable says that this process cannot open a session, most likely for
// want of its key. That is a fault of ours: the link is as good as before.
var ErrUnreadable = errors.New("link: a session cannot be opened here")

// Kinds of sealed values. They are part of the associated data: never rename.
const (
	kindSession   seal.Kind = "session" // plaintext: a garth dumps string
	kindCandidate seal.Kind = "candidate"
	kindChallenge seal.Kind = "challenge"
	kindMACKey    seal.Kind = "mac-key"
	kindConsumer  seal.Kind = "oauth1-consumer"

	kindWebhookSecret seal.Kind = "webhook-secret"
)

// Vault seals and opens for one installation. Its keyring and the key that seals
// are replaced while it is in use: see Heartbeat.
type Vault struct {
	installation string
	mac          []byte
	keys         atomic.Pointer[keysInUse]
	behind       atomic.Bool // see Behind
}

// Behind reports that another key seals now, and this process has not got it:
// it ends what it has begun with the former one, and should begin no more.
func (v *Vault) Behind() bool { return v.behind.Load() }

// keysInUse change together, so that who seals never meets a ring without the
// key that is to seal.
type keysInUse struct {
	ring    *seal.Keyring
	sealing uint32
}

// OpenVault proves that the keyset fits the database: that it opens what is
// there, and holds the key that is to seal. A new database is founded first.
// It fails with ErrWrongKeyset.
func OpenVault(ctx context.Context, store Store, ring *seal.Keyring) (*Vault, error) {
	i, err := store.Installation(ctx)
	if errors.Is(err, ErrNotFound) {
		i, err = found(ctx, store, ring)
	}
	if err != nil {
		return nil, err
	}
	mac, err := i.prove(ring)
	if err != nil {
		return nil, err
	}
	v := &Vault{installation: i.ID.String(), mac: mac}
	v.keys.Store(&keysInUse{ring, i.SealingKey})
	return v, nil
}

// Installation names what all replicas on one database share, for ever.
func (v *Vault) Installation() string { return v.installation }

// prove fails with ErrWrongKeyset unless the ring opens the canary and holds
// the key that seals.
func (i Installation) prove(ring *seal.Keyring) (mac []byte, err error) {
	mac, err = ring.Open(i.MACKey, seal.Binding{Installation: i.ID.String(), Kind: kindMACKey})
	if err == nil && !ring.Has(i.SealingKey) {
		err = fmt.Errorf("%w: %d, which seals", seal.ErrKeyMissing, i.SealingKey)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWrongKeyset, err)
	}
	return mac, nil
}

func (v *Vault) seal(plaintext []byte, b seal.Binding) (Sealed, error) {
	k := v.keys.Load()
	return k.ring.Seal(k.sealing, plaintext, b)
}

func (v *Vault) open(s Sealed, b seal.Binding) ([]byte, error) { return v.keys.Load().ring.Open(s, b) }

func found(ctx context.Context, store Store, ring *seal.Keyring) (Installation, error) {
	i := Installation{ID: newID(), SealingKey: ring.Primary()}
	mac := make([]byte, sha256.Size)
	_, _ = rand.Read(mac) // never fails: it ends the program instead
	var err error
	i.MACKey, err = ring.Seal(i.SealingKey, mac, seal.Binding{Installation: i.ID.String(), Kind: kindMACKey})
	if err != nil {
		return Installation{}, err
	}
	if err := store.Install(ctx, i); err != nil {
		return Installation{}, err
	}
	return store.Installation(ctx) // another replica may have been first
}

// emailMAC stands for a Garmin e-mail address where limits are counted.
func (v *Vault) emailMAC(email string) []byte {
	h := hmac.New(sha256.New, v.mac)
	h.Write([]byte(strings.ToLower(email)))
	return h.Sum(nil)
}

// macOf stands for a text of some kind where equal ones are to be known again.
func (v *Vault) macOf(kind, text string) []byte {
	h := hmac.New(sha256.New, v.mac)
	h.Write([]byte(kind + "\x00" + text))
	return h.Sum(nil)
}

// MAC proves that this installation has written a text. Each use has a kind of
// its own.
func (v *Vault) MAC(kind, text string) []byte { return v.macOf(kind, text) }

func (v *Vault) binding(user uuid.UUID, kind seal.Kind, generation int64) seal.Binding {
	return seal.Binding{Installation: v.installation, User: user.String(), Kind: kind, Generation: generation}
}

// assumedLife is that of an access token whose end nobody states. Too short
// costs one refresh; Garmin's are said to live 4 to 29 hours.
const assumedLife = time.Hour

// sealSession seals s as kind, under a generation that was drawn for it.
func (v *Vault) sealSession(user uuid.UUID, kind seal.Kind, generation int64, s *garmin.Session, now time.Time) (SealedSession, error) {
	return v.sealAs(v.binding(user, kind, generation), s, now)
}

func (v *Vault) sealAs(b seal.Binding, s *garmin.Session, now time.Time) (SealedSession, error) {
	sealed, err := v.seal([]byte(s.Dumps()), b)
	if err != nil {
		return SealedSession{}, err
	}
	expires := s.ExpiresAt()
	if expires.IsZero() {
		expires = now.Add(assumedLife)
	}
	return SealedSession{
		Sealed: sealed, Generation: b.Generation, ExpiresAt: expires, RefreshExpiresAt: s.RefreshExpiresAt(),
	}, nil
}

// openSession fails with ErrUnreadable.
func (v *Vault) openSession(user uuid.UUID, kind seal.Kind, s SealedSession) (*garmin.Session, error) {
	return v.openAs(v.binding(user, kind, s.Generation), s)
}

func (v *Vault) openAs(b seal.Binding, s SealedSession) (*garmin.Session, error) {
	plaintext, err := v.open(s.Sealed, b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	session, err := garmin.ParseSession(plaintext)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return session, nil
}

func (v *Vault) openCandidate(user uuid.UUID, c *SealedCandidate) (*garmin.Session, error) {
	return v.openAs(v.candidateBinding(user, c.Connect, c.Session.Generation), c.Session)
}

// candidateBinding binds a candidate to the connect session that it waits for,
// if it waits for one: nothing else can open it.
func (v *Vault) candidateBinding(user, connect uuid.UUID, generation int64) seal.Binding {
	b := v.binding(user, kindCandidate, generation)
	if connect != noID {
		b.ID = connect.String()
	}
	return b
}

func (v *Vault) sealConsumer(c garmin.Consumer) (Consumer, error) {
	sealed, err := v.seal([]byte(c.Secret.Reveal()), v.consumerBinding(c.Key))
	return Consumer{Key: c.Key, Secret: sealed}, err
}

func (v *Vault) openConsumer(c Consumer) (garmin.Consumer, error) {
	secret, err := v.open(c.Secret, v.consumerBinding(c.Key))
	return garmin.Consumer{Key: c.Key, Secret: garmin.Secret(secret)}, err
}

func (v *Vault) consumerBinding(key string) seal.Binding {
	return seal.Binding{Installation: v.installation, Kind: kindConsumer, ID: key}
}

// challengeBinding binds a challenge to the connect session that it was begun
// under, if it was: a release that knows of none cannot open it.
func (v *Vault) challengeBinding(user, id, connect uuid.UUID) seal.Binding {
	b := seal.Binding{Installation: v.installation, User: user.String(), Kind: kindChallenge, ID: id.String()}
	if connect != noID {
		b.ID += "/" + connect.String()
	}
	return b
}

func (v *Vault) sealChallenge(act Act, id uuid.UUID, c *garmin.Challenge) (seal.Sealed, error) {
	plaintext, err := c.Marshal()
	if err != nil {
		return seal.Sealed{}, err
	}
	return v.seal(plaintext, v.challengeBinding(act.User, id, act.Connect))
}

func (v *Vault) openChallenge(act Act, id uuid.UUID, s seal.Sealed) (*garmin.Challenge, error) {
	plaintext, err := v.open(s, v.challengeBinding(act.User, id, act.Connect))
	if err != nil {
		return nil, err
	}
	return garmin.ParseChallenge(plaintext)
}
