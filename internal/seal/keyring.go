package seal

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
	"github.com/tink-crypto/tink-go/v2/tink"
	"google.golang.org/protobuf/proto"
)

// Keyring opens with every enabled key of a keyset and seals with the one asked
// for. It never changes: another keyset makes another ring. It is safe for
// concurrent use.
type Keyring struct {
	primary uint32
	order   []Key
	keys    map[uint32]tink.AEAD
}

// Key is one of a keyset. A key that is not enabled neither seals nor opens.
type Key struct {
	ID      uint32
	Enabled bool
}

// Parse reads a keyset in Tink's JSON form. It fails with ErrKeyset; the error
// holds no key material.
func Parse(json []byte) (*Keyring, error) {
	handle, err := read(json)
	if err != nil {
		return nil, err
	}
	material := insecurecleartextkeyset.KeysetMaterial(handle)
	ring := &Keyring{primary: material.GetPrimaryKeyId(), keys: map[uint32]tink.AEAD{}}
	for _, key := range material.GetKey() {
		enabled := key.GetStatus() == tinkpb.KeyStatusType_ENABLED
		ring.order = append(ring.order, Key{ID: key.GetKeyId(), Enabled: enabled})
		if !enabled {
			continue
		}
		if ring.keys[key.GetKeyId()], err = single(key); err != nil {
			return nil, fmt.Errorf("%w: key %d", ErrKeyset, key.GetKeyId())
		}
	}
	return ring, nil
}

// single is a keyset of this one key: Tink seals with the primary key only, and
// here a row in the database says which key seals; and a value must open under
// no other key than the one that its row names.
func single(key *tinkpb.Keyset_Key) (tink.AEAD, error) {
	alone, err := proto.Marshal(&tinkpb.Keyset{PrimaryKeyId: key.GetKeyId(), Key: []*tinkpb.Keyset_Key{key}})
	if err != nil {
		return nil, err
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewBinaryReader(bytes.NewReader(alone)))
	if err != nil {
		return nil, err
	}
	return aead.New(handle)
}

// Primary is the key id that the keyset itself names first: the one to seal
// with on a new installation.
func (k *Keyring) Primary() uint32 { return k.primary }

// Keys lists the keys in the order of the keyset.
func (k *Keyring) Keys() []Key { return slices.Clone(k.order) }

// IDs lists the keys that seal and open.
func (k *Keyring) IDs() []uint32 { return slices.Sorted(maps.Keys(k.keys)) }

// Has reports whether the ring can seal and open with a key.
func (k *Keyring) Has(key uint32) bool {
	_, ok := k.keys[key]
	return ok
}

// Seal encrypts plaintext under the named key and binds it to b. It fails with
// ErrKeyMissing.
func (k *Keyring) Seal(keyID uint32, plaintext []byte, b Binding) (Sealed, error) {
	key, ok := k.keys[keyID]
	if !ok {
		return Sealed{}, fmt.Errorf("%w: %d", ErrKeyMissing, keyID)
	}
	ciphertext, err := key.Encrypt(plaintext, b.associatedData())
	if err != nil {
		return Sealed{}, fmt.Errorf("seal: %w", err)
	}
	return Sealed{KeyID: keyID, Ciphertext: ciphertext}, nil
}

// Open decrypts what Seal made with the same binding. It fails with
// ErrKeyMissing or ErrForeign.
func (k *Keyring) Open(s Sealed, b Binding) ([]byte, error) {
	key, ok := k.keys[s.KeyID]
	if !ok {
		return nil, fmt.Errorf("%w: %d", ErrKeyMissing, s.KeyID)
	}
	plaintext, err := key.Decrypt(s.Ciphertext, b.associatedData())
	if err != nil {
		return nil, ErrForeign
	}
	return plaintext, nil
}
