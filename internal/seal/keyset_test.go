package seal_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/garminlink/garminlink/internal/seal"
)

// twoKeys is a keyset with a first, primary key and one that was added.
func twoKeys(t *testing.T) (json []byte, first, second uint32) {
	t.Helper()
	json, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	first = parseJSON(t, json).Primary()
	json, second, err = seal.AddKey(json)
	if err != nil {
		t.Fatal(err)
	}
	return json, first, second
}

func parseJSON(t *testing.T, json []byte) *seal.Keyring {
	t.Helper()
	ring, err := seal.Parse(json)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func wantKeys(t *testing.T, json []byte, primary uint32, want ...seal.Key) {
	t.Helper()
	ring := parseJSON(t, json)
	if got := ring.Keys(); !slices.Equal(got, want) || ring.Primary() != primary {
		t.Errorf("keys are %v with %d first, want %v with %d", got, ring.Primary(), want, primary)
	}
}

func TestAddedKeySealsWhatTheFormerKeysetLeavesClosed(t *testing.T) {
	t.Parallel()
	json, first, second := twoKeys(t)
	wantKeys(t, json, first, seal.Key{ID: first, Enabled: true}, seal.Key{ID: second, Enabled: true})
	grown := parseJSON(t, json)
	for _, key := range []uint32{first, second} {
		sealed, err := grown.Seal(key, []byte("secret"), place)
		if err != nil {
			t.Fatal(err)
		}
		less, err := seal.DeleteKey(json, second, first)
		if err != nil {
			t.Fatal(err)
		}
		_, err = parseJSON(t, less).Open(sealed, place)
		if got := errors.Is(err, seal.ErrKeyMissing); got != (key == second) {
			t.Errorf("key %d: Open = %v without key %d", key, err, second)
		}
	}
}

func TestKeyThatGoesLeavesAnotherPrimary(t *testing.T) {
	t.Parallel()
	json, first, second := twoKeys(t)
	disabled, err := seal.DisableKey(json, first, second)
	if err != nil {
		t.Fatal(err)
	}
	wantKeys(t, disabled, second, seal.Key{ID: first}, seal.Key{ID: second, Enabled: true})
	if ring := parseJSON(t, disabled); ring.Has(first) || !slices.Equal(ring.IDs(), []uint32{second}) {
		t.Error("a disabled key is of use")
	}
	for _, from := range [][]byte{json, disabled} {
		deleted, err := seal.DeleteKey(from, first, second)
		if err != nil {
			t.Fatal(err)
		}
		wantKeys(t, deleted, second, seal.Key{ID: second, Enabled: true})
	}
}

func TestKeysThatAreNotThereAreNamed(t *testing.T) {
	t.Parallel()
	json, first, second := twoKeys(t)
	disabled, _ := seal.DisableKey(json, first, second)
	for name, change := range map[string]func() ([]byte, error){
		"no such key":               func() ([]byte, error) { return seal.DeleteKey(json, 1, first) },
		"no such key to disable":    func() ([]byte, error) { return seal.DisableKey(json, 1, first) },
		"no such primary":           func() ([]byte, error) { return seal.DeleteKey(json, first, 1) },
		"the primary is not usable": func() ([]byte, error) { return seal.DeleteKey(disabled, second, first) },
		"the primary itself":        func() ([]byte, error) { return seal.DeleteKey(json, first, first) },
	} {
		if out, err := change(); !errors.Is(err, seal.ErrKeyMissing) || out != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := seal.AddKey([]byte("{}")); !errors.Is(err, seal.ErrKeyset) {
		t.Errorf("AddKey({}) = %v", err)
	}
}
