package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/garminlink/garminlink/internal/seal"
)

const (
	beatInterval = 15 * time.Second
	replicaLife  = 60 * time.Second // a replica that was not seen for so long is dead
)

// Heartbeat tells the other replicas of this one, and this one of changes of
// keys: of a keyset that was deployed anew, and of the key that is to seal.
type Heartbeat struct {
	store Store
	vault *Vault
	self  Replica
	load  func(context.Context) (*seal.Keyring, error)
	log   *slog.Logger
}

// NewHeartbeat returns the heartbeat of a process that uses vault. load reads
// the keyset as it is deployed now, and returns the same ring as long as it
// does not change.
func NewHeartbeat(store Store, vault *Vault, host, version string, load func(context.Context) (*seal.Keyring, error), log *slog.Logger) *Heartbeat {
	return &Heartbeat{store: store, vault: vault, load: load, log: log, self: Replica{ID: newID(), Host: host, Version: version}}
}

// Run beats every 15 seconds until ctx ends, and then says goodbye. Let it end
// after everything that seals: a key may be deleted once nobody is seen to seal
// with it.
func (h *Heartbeat) Run(ctx context.Context) {
	ticker := time.NewTicker(beatInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			h.leave(context.WithoutCancel(ctx))
			return
		case <-ticker.C:
			if err := h.Beat(ctx); err != nil && ctx.Err() == nil {
				h.log.ErrorContext(ctx, "the keys of this process may be out of date", "error", err)
			}
		}
	}
}

func (h *Heartbeat) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	if err := h.store.Leave(ctx, h.self.ID); err != nil {
		h.log.WarnContext(ctx, "the end of this process is not on record", "error", err)
	}
}

// Beat takes over a keyset that has changed, and the key that is to seal, and
// tells what it now has. A fault of the one does not stop the other. It fails
// with ErrWrongKeyset when the keyset does not fit the database any more; what
// was in use before then stays in use.
func (h *Heartbeat) Beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, beatInterval)
	defer cancel()
	return errors.Join(h.renew(ctx), h.tell(ctx))
}

func (h *Heartbeat) renew(ctx context.Context) error {
	ring, err := h.load(ctx)
	if err != nil || ring == h.vault.keys.Load().ring {
		return err
	}
	if err := h.vault.take(ctx, h.store, ring); err != nil {
		return err
	}
	h.log.InfoContext(ctx, "the keyset has changed", "keys", ring.IDs())
	return nil
}

// tell goes on until what it has told is so: a replica is on record with the
// former key until nothing can begin to be sealed with that any more.
func (h *Heartbeat) tell(ctx context.Context) error {
	for {
		inUse := h.vault.keys.Load()
		h.self.Keys, h.self.SealingKey = inUse.ring.IDs(), inUse.sealing
		sealing, err := h.store.Beat(ctx, h.self, replicaLife)
		if err != nil {
			return err
		}
		if sealing == inUse.sealing {
			h.vault.behind.Store(false)
			return nil
		}
		if !inUse.ring.Has(sealing) {
			h.vault.behind.Store(true)
			return fmt.Errorf("%w: %w: %d, which seals now", ErrWrongKeyset, seal.ErrKeyMissing, sealing)
		}
		h.vault.keys.Store(&keysInUse{inUse.ring, sealing})
		h.log.InfoContext(ctx, "another key seals now", "key", sealing)
	}
}

// take makes ring the one in use, if it fits the database and loses no key that
// a row needs. It fails with ErrWrongKeyset.
func (v *Vault) take(ctx context.Context, store Store, ring *seal.Keyring) error {
	i, err := store.Installation(ctx)
	if err != nil {
		return err
	}
	if _, err := i.prove(ring); err != nil {
		return err
	}
	uses, err := store.KeyUses(ctx)
	if err != nil {
		return err
	}
	former := v.keys.Load().ring
	for _, u := range uses {
		if former.Has(u.Key) && !ring.Has(u.Key) {
			return fmt.Errorf("%w: %w: %d, which %d rows need (%s)", ErrWrongKeyset, seal.ErrKeyMissing, u.Key, u.Rows, u.In)
		}
	}
	v.keys.Store(&keysInUse{ring, i.SealingKey})
	return nil
}
