// Package seal owns keysets, the keyrings made of them and what is sealed with
// those: authenticated encryption (Tink AEAD) in which every ciphertext is bound
// to the place where it belongs, so that a sealed value copied elsewhere does
// not open.
//
// It does not know what is sealed, nor which key is to seal, nor where keysets
// are kept: the caller says.
package seal

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Kind names what a sealed value is; values of one kind do not open as another.
type Kind string

// Errors of Open, Seal and Parse. A missing key is a fault of the deployment
// and says nothing about the value; ErrForeign says that the value was altered
// or belongs to another place.
var (
	ErrKeyMissing = errors.New("seal: the keyset lacks the key of this value")
	ErrForeign    = errors.New("seal: the value does not open here")
	ErrKeyset     = errors.New("seal: not a usable Tink AEAD keyset")
)

// Binding is the place to which a sealed value is bound. Unused fields stay
// empty.
type Binding struct {
	Installation string
	User         string
	Kind         Kind
	ID           string
	Generation   int64
}

// associatedData is the documented form, the same in every language: the label
// "garminlink/1", then each field as a 4-byte big-endian length and its bytes,
// then the generation as 8 bytes, big-endian.
func (b Binding) associatedData() []byte {
	ad := []byte("garminlink/1")
	for _, field := range []string{b.Installation, b.User, string(b.Kind), b.ID} {
		ad = binary.BigEndian.AppendUint32(ad, uint32(len(field)))
		ad = append(ad, field...)
	}
	return binary.BigEndian.AppendUint64(ad, uint64(b.Generation))
}

// Sealed is a ciphertext with the id of the key that made it.
type Sealed struct {
	KeyID      uint32
	Ciphertext []byte
}

// IsZero reports whether nothing is sealed.
func (s Sealed) IsZero() bool { return len(s.Ciphertext) == 0 }

// Format keeps ciphertexts out of logs: they are long, and a copy is a copy.
func (s Sealed) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "[sealed by key %d]", s.KeyID)
}
