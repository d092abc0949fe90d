package link

import (
	"context"
	"fmt"

	"github.com/garminlink/garminlink/internal/seal"
	"github.com/google/uuid"
)

// rewrapBatch is how many values are read at once.
const rewrapBatch = 200

// Rewrapped is how far a pass of Rewrap has come.
type Rewrapped struct {
	Total      int // values that were under another key
	Done       int
	Busy       int // in use or changed meanwhile: for the next pass
	Unreadable []Unreadable
	Lacking    []KeyUse // under keys that the keyset lacks
}

// Unreadable is a value that its key does not open. Its link is left as it is.
type Unreadable struct {
	In   Holding
	User uuid.UUID // zero of what is nobody's
	ID   string    // of that
	Key  uint32
}

// Rewrap looks once for all that is not sealed under the key that is to seal,
// and re-seals it. What a value says and belongs to stays as it is, its
// generation too. It can be stopped at any time and be run beside anything,
// itself included; tell is called after each batch.
//
// It is done when a pass has found nothing more: those who still seal with a
// former key may add to it.
func (v *Vault) Rewrap(ctx context.Context, store Store, tell func(Rewrapped)) (Rewrapped, error) {
	i, err := store.Installation(ctx)
	if err != nil {
		return Rewrapped{}, err
	}
	uses, err := store.KeyUses(ctx)
	if err != nil {
		return Rewrapped{}, err
	}
	pass := rewrap{vault: v, store: store, ring: v.keys.Load().ring, to: i.SealingKey, tell: tell}
	for _, u := range uses {
		switch {
		case u.Key == pass.to:
		case pass.ring.Has(u.Key):
			pass.Total += u.Rows
			pass.from = append(pass.from, u)
		default:
			pass.Lacking = append(pass.Lacking, u)
		}
	}
	for _, u := range pass.from {
		if err := pass.through(ctx, u); err != nil {
			return pass.Rewrapped, err
		}
	}
	return pass.Rewrapped, nil
}

type rewrap struct {
	Rewrapped
	vault *Vault
	store Store
	ring  *seal.Keyring
	from  []KeyUse
	to    uint32
	tell  func(Rewrapped)
}

func (p *rewrap) through(ctx context.Context, u KeyUse) error {
	var after uuid.UUID
	for {
		batch, err := p.store.Held(ctx, u.In, u.Key, after, rewrapBatch)
		if err != nil {
			return err
		}
		for _, h := range batch {
			if err := p.reseal(ctx, h); err != nil {
				return err
			}
			after = h.Row
		}
		p.tell(p.Rewrapped)
		if len(batch) < rewrapBatch {
			return nil
		}
	}
}

func (p *rewrap) reseal(ctx context.Context, h Held) error {
	b := p.vault.bindingOf(h)
	plaintext, err := p.ring.Open(h.Sealed, b)
	if err != nil {
		p.Unreadable = append(p.Unreadable, Unreadable{In: h.In, User: h.User, ID: h.ID, Key: h.KeyID})
		return nil
	}
	fresh, err := p.ring.Seal(p.to, plaintext, b)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrWrongKeyset, err) // another key was promoted meanwhile
	}
	done, err := p.store.Reseal(ctx, h, fresh)
	switch {
	case err != nil:
		return err
	case done:
		p.Done++
	default:
		p.Busy++
	}
	return nil
}

var kindsHeld = map[Holding]seal.Kind{
	HeldSession:   kindSession,
	HeldPrevious:  kindSession,
	HeldCandidate: kindCandidate,
	HeldChallenge: kindChallenge,
	HeldConsumer:  kindConsumer,
	HeldMACKey:    kindMACKey,

	// A secret that becomes the former one stays as it is.
	HeldWebhookSecret:       kindWebhookSecret,
	HeldFormerWebhookSecret: kindWebhookSecret,
}

// SealAt seals what another package keeps in a place that Rewrap passes
// through, bound to the id of what it belongs to.
func (v *Vault) SealAt(in Holding, id string, plaintext []byte) (Sealed, error) {
	return v.seal(plaintext, v.bindingOf(Held{In: in, ID: id}))
}

// OpenAt opens what SealAt has sealed. It fails with an error of seal's.
func (v *Vault) OpenAt(in Holding, id string, s Sealed) ([]byte, error) {
	return v.open(s, v.bindingOf(Held{In: in, ID: id}))
}

// bindingOf is the binding that h was sealed with, whatever it is.
func (v *Vault) bindingOf(h Held) seal.Binding {
	b := seal.Binding{Installation: v.installation, Kind: kindsHeld[h.In], ID: h.ID, Generation: h.Generation}
	if h.User != noID {
		b.User = h.User.String()
	}
	return b
}
