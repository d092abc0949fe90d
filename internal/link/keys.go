package link

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/garminlink/garminlink/internal/seal"
)

// KeyStatus is what stands in the way of a key's coming and going.
type KeyStatus struct {
	Sealing  uint32
	Uses     []KeyUse
	Replicas []Replica // that are alive
}

// ReadKeyStatus fails with ErrNotFound for a database that was never started.
func ReadKeyStatus(ctx context.Context, store Store) (KeyStatus, error) {
	i, err := store.Installation(ctx)
	if err != nil {
		return KeyStatus{}, err
	}
	// First who seals, then what was sealed: the other way round, a replica
	// could seal one more value after the count, switch, and not show up.
	replicas, err := store.Replicas(ctx, replicaLife)
	if err != nil {
		return KeyStatus{}, err
	}
	uses, err := store.KeyUses(ctx)
	return KeyStatus{Sealing: i.SealingKey, Uses: uses, Replicas: replicas}, err
}

// KeyStatus tells admins of the keys, as ReadKeyStatus does.
func (s *Service) KeyStatus(ctx context.Context) (KeyStatus, error) {
	return ReadKeyStatus(ctx, s.store)
}

// UsesOf lists what needs a key.
func (s KeyStatus) UsesOf(key uint32) (uses []KeyUse) {
	for _, u := range s.Uses {
		if u.Key == key {
			uses = append(uses, u)
		}
	}
	return uses
}

// Sealers are the replicas that seal with a key.
func (s KeyStatus) Sealers(key uint32) (sealers []Replica) {
	for _, r := range s.Replicas {
		if r.SealingKey == key {
			sealers = append(sealers, r)
		}
	}
	return sealers
}

// Lackers are the replicas without a key.
func (s KeyStatus) Lackers(key uint32) (lackers []Replica) {
	for _, r := range s.Replicas {
		if !slices.Contains(r.Keys, key) {
			lackers = append(lackers, r)
		}
	}
	return lackers
}

// Spare returns nil if the key can go, else a KeyNeeded.
func (s KeyStatus) Spare(key uint32) error {
	e := KeyNeeded{Key: key, Seals: key == s.Sealing, Uses: s.UsesOf(key), Sealers: s.Sealers(key)}
	if e.Seals || len(e.Uses) > 0 || len(e.Sealers) > 0 {
		return &e
	}
	return nil
}

// Unopenable lists what no key of the ring opens.
func (s KeyStatus) Unopenable(ring *seal.Keyring) (uses []KeyUse) {
	for _, u := range s.Uses {
		if !ring.Has(u.Key) {
			uses = append(uses, u)
		}
	}
	return uses
}

// KeyNeeded says why a key cannot go.
type KeyNeeded struct {
	Key     uint32
	Seals   bool
	Uses    []KeyUse
	Sealers []Replica
}

func (e *KeyNeeded) Error() string {
	var why []string
	if e.Seals {
		why = append(why, "it is the one that seals")
	}
	for _, u := range e.Uses {
		why = append(why, fmt.Sprintf("%d rows need it (%s)", u.Rows, u.In))
	}
	for _, r := range e.Sealers {
		why = append(why, fmt.Sprintf("replica %s still seals with it", r))
	}
	return fmt.Sprintf("link: key %d is needed: %s", e.Key, strings.Join(why, "; "))
}

// String names the replica for people.
func (r Replica) String() string { return fmt.Sprintf("%s (%s)", r.Host, r.ID) }

// Promote makes a key of the ring the one that seals. It fails with a
// KeyLacking, and then changes nothing.
func Promote(ctx context.Context, store Store, ring *seal.Keyring, key uint32) error {
	if !ring.Has(key) {
		return &KeyLacking{Key: key}
	}
	lacking, err := store.Promote(ctx, key, replicaLife)
	if err != nil {
		return err
	}
	if len(lacking) > 0 {
		return &KeyLacking{Key: key, Replicas: lacking}
	}
	return nil
}

// KeyLacking says who lacks a key: replicas, or else the keyset at hand.
type KeyLacking struct {
	Key      uint32
	Replicas []Replica
}

func (e *KeyLacking) Error() string {
	if len(e.Replicas) == 0 {
		return fmt.Sprintf("link: the keyset lacks key %d", e.Key)
	}
	return fmt.Sprintf("link: replicas lack key %d: %v", e.Key, e.Replicas)
}
