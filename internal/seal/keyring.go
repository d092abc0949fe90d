package seal

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Keyring opens with every key of a keyset and seals with the one asked for.
// It is safe for concurrent use.
type Keyring struct {
	primary uint32
	keys    map[uint32]tink.AEAD
}

// Generate makes a new keyset with one AES-256-GCM key, in Tink's JSON form.
// The result is the secret itself.
func Generate() ([]byte, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	var out bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&out)); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return out.Bytes(), nil
}

// Parse reads a keyset in Tink's JSON form. It fails with ErrKeyset; the error
// holds no key material.
func Parse(json []byte) (*Keyring, error) {
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(json)))
	if err != nil {
		return nil, ErrKeyset // Tink's error may quote the input
	}
	info := handle.KeysetInfo()
	ring := &Keyring{primary: info.GetPrimaryKeyId(), keys: map[uint32]tink.AEAD{}}
	for _, key := range info.GetKeyInfo() {
		if ring.keys[key.GetKeyId()], err = single(handle, key.GetKeyId()); err != nil {
			return nil, fmt.Errorf("%w: key %d", ErrKeyset, key.GetKeyId())
		}
	}
	return ring, nil
}

// single is the keyset with another primary key: Tink seals with the primary
// only, and here a row in the database says which key seals.
func single(handle *keyset.Handle, id uint32) (tink.AEAD, error) {
	manager := keyset.NewManagerFromHandle(handle)
	if err := manager.SetPrimary(id); err != nil {
		return nil, err
	}
	promoted, err := manager.Handle()
	if err != nil {
		return nil, err
	}
	return aead.New(promoted)
}

// Primary is the key id that the keyset itself names first: the one to seal
// with on a new installation.
func (k *Keyring) Primary() uint32 { return k.primary }

// IDs lists the keys, in ascending order.
func (k *Keyring) IDs() []uint32 {
	ids := make([]uint32, 0, len(k.keys))
	for id := range k.keys {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
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
