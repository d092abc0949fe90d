package seal

import (
	"bytes"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// Generate makes a new keyset with one AES-256-GCM key, in Tink's JSON form.
// The result is the secret itself, as are those of the functions below.
func Generate() ([]byte, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return write(handle)
}

// AddKey returns the keyset with one more AES-256-GCM key, and the id of that.
// The primary key stays. It fails with ErrKeyset.
func AddKey(json []byte) (grown []byte, added uint32, err error) {
	grown, err = edit(json, func(m *keyset.Manager) error {
		added, err = m.Add(aead.AES256GCMKeyTemplate())
		return err
	})
	return grown, added, err
}

// DisableKey returns the keyset with a key that neither seals nor opens any
// more, but can be enabled again. Tink wants another one to be primary. It
// fails with ErrKeyset, and with ErrKeyMissing if either is not there.
func DisableKey(json []byte, key, primary uint32) ([]byte, error) {
	return withPrimary(json, key, primary, (*keyset.Manager).Disable)
}

// DeleteKey returns the keyset without a key. It fails as DisableKey does.
func DeleteKey(json []byte, key, primary uint32) ([]byte, error) {
	return withPrimary(json, key, primary, (*keyset.Manager).Delete)
}

func withPrimary(json []byte, key, primary uint32, change func(*keyset.Manager, uint32) error) ([]byte, error) {
	return edit(json, func(m *keyset.Manager) error {
		if m.SetPrimary(primary) != nil {
			return fmt.Errorf("%w: %d", ErrKeyMissing, primary)
		}
		if change(m, key) != nil {
			return fmt.Errorf("%w: %d", ErrKeyMissing, key)
		}
		return nil
	})
}

func edit(json []byte, change func(*keyset.Manager) error) ([]byte, error) {
	handle, err := read(json)
	if err != nil {
		return nil, err
	}
	manager := keyset.NewManagerFromHandle(handle)
	if err := change(manager); err != nil {
		return nil, err
	}
	if handle, err = manager.Handle(); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return write(handle)
}

// read fails with ErrKeyset alone: Tink's error may quote the input.
func read(json []byte) (*keyset.Handle, error) {
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(json)))
	if err != nil {
		return nil, ErrKeyset
	}
	return handle, nil
}

func write(handle *keyset.Handle) ([]byte, error) {
	var out bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&out)); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return out.Bytes(), nil
}
