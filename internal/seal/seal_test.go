package seal_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/garminlink/garminlink/internal/seal"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

var place = seal.Binding{Installation: "i", User: "u", Kind: "session", ID: "x", Generation: 7}

func ring(t testing.TB) *seal.Keyring {
	t.Helper()
	json, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	ring, err := seal.Parse(json)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func TestSealedValueOpensOnlyInItsPlace(t *testing.T) {
	t.Parallel()
	ring := ring(t)
	sealed, err := ring.Seal(ring.Primary(), []byte("secret"), place)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ring.Open(sealed, place); err != nil || string(got) != "secret" {
		t.Fatalf("Open = %q, %v", got, err)
	}
	elsewhere := map[string]seal.Binding{
		"installation": {Installation: "j", User: "u", Kind: "session", ID: "x", Generation: 7},
		"user":         {Installation: "i", User: "v", Kind: "session", ID: "x", Generation: 7},
		"kind":         {Installation: "i", User: "u", Kind: "candidate", ID: "x", Generation: 7},
		"id":           {Installation: "i", User: "u", Kind: "session", ID: "y", Generation: 7},
		"generation":   {Installation: "i", User: "u", Kind: "session", ID: "x", Generation: 8},
		"shifted":      {Installation: "iu", Kind: "session", ID: "x", Generation: 7},
	}
	for name, other := range elsewhere {
		if _, err := ring.Open(sealed, other); !errors.Is(err, seal.ErrForeign) {
			t.Errorf("%s: Open = %v, want ErrForeign", name, err)
		}
	}
}

func TestAlteredValueDoesNotOpen(t *testing.T) {
	t.Parallel()
	ring := ring(t)
	sealed, _ := ring.Seal(ring.Primary(), []byte("secret"), place)
	for i := range sealed.Ciphertext {
		altered := seal.Sealed{KeyID: sealed.KeyID, Ciphertext: bytes.Clone(sealed.Ciphertext)}
		altered.Ciphertext[i] ^= 1
		if _, err := ring.Open(altered, place); err == nil {
			t.Fatalf("opened with byte %d altered", i)
		}
	}
}

func TestForeignKeysetSaysThatTheKeyIsMissing(t *testing.T) {
	t.Parallel()
	ours, theirs := ring(t), ring(t)
	sealed, _ := ours.Seal(ours.Primary(), []byte("secret"), place)
	if _, err := theirs.Open(sealed, place); !errors.Is(err, seal.ErrKeyMissing) {
		t.Errorf("Open = %v, want ErrKeyMissing", err)
	}
	if _, err := theirs.Seal(ours.Primary(), nil, place); !errors.Is(err, seal.ErrKeyMissing) {
		t.Errorf("Seal = %v, want ErrKeyMissing", err)
	}
}

// Any key of the keyset can be told to seal, not only Tink's primary.
func TestEveryKeySealsAndAllOpen(t *testing.T) {
	t.Parallel()
	manager := keyset.NewManager()
	first, _ := manager.Add(aead.AES256GCMKeyTemplate())
	second, _ := manager.Add(aead.AES256GCMKeyTemplate())
	_ = manager.SetPrimary(first)
	ring := parse(t, manager)
	if ring.Primary() != first {
		t.Fatalf("primary is %d, want %d", ring.Primary(), first)
	}
	for _, id := range []uint32{first, second} {
		sealed, err := ring.Seal(id, []byte("secret"), place)
		if err != nil || sealed.KeyID != id {
			t.Fatalf("Seal = %v, %v", sealed, err)
		}
		if got, err := ring.Open(sealed, place); err != nil || string(got) != "secret" {
			t.Errorf("Open = %q, %v", got, err)
		}
		mislabelled := seal.Sealed{KeyID: first + second - id, Ciphertext: sealed.Ciphertext}
		if _, err := ring.Open(mislabelled, place); !errors.Is(err, seal.ErrForeign) {
			t.Errorf("a value of key %d opens as one of key %d: %v", id, mislabelled.KeyID, err)
		}
	}
}

func TestDisabledKeyNeitherSealsNorOpens(t *testing.T) {
	t.Parallel()
	manager := keyset.NewManager()
	first, _ := manager.Add(aead.AES256GCMKeyTemplate())
	second, _ := manager.Add(aead.AES256GCMKeyTemplate())
	_, _ = manager.SetPrimary(first), manager.Disable(second)
	ring := parse(t, manager)
	if _, err := ring.Seal(second, []byte("secret"), place); !errors.Is(err, seal.ErrKeyMissing) {
		t.Errorf("Seal = %v, want ErrKeyMissing", err)
	}
	if _, err := ring.Seal(first, []byte("secret"), place); err != nil {
		t.Error(err)
	}
}

func parse(t *testing.T, manager *keyset.Manager) *seal.Keyring {
	t.Helper()
	handle, err := manager.Handle()
	if err != nil {
		t.Fatal(err)
	}
	var json bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&json)); err != nil {
		t.Fatal(err)
	}
	ring, err := seal.Parse(json.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func TestUnusableKeysetsAreNamedWithoutTheirContent(t *testing.T) {
	t.Parallel()
	for _, input := range []string{"", "{}", "not json", `{"primaryKeyId":1,"key":[{"keyData":{"value":"c2VjcmV0"}}]}`} {
		_, err := seal.Parse([]byte(input))
		if !errors.Is(err, seal.ErrKeyset) || err.Error() != seal.ErrKeyset.Error() {
			t.Errorf("Parse(%q) = %v", input, err)
		}
	}
}

func TestSealedValuesPrintNothing(t *testing.T) {
	t.Parallel()
	sealed := seal.Sealed{KeyID: 5, Ciphertext: []byte("bytes")}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if got := fmt.Sprintf(verb, sealed); got != "[sealed by key 5]" {
			t.Errorf("%s prints %q", verb, got)
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	ring, plaintext := ring(b), bytes.Repeat([]byte("x"), 1600)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ring.Seal(ring.Primary(), plaintext, place); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	ring := ring(b)
	sealed, _ := ring.Seal(ring.Primary(), bytes.Repeat([]byte("x"), 1600), place)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ring.Open(sealed, place); err != nil {
			b.Fatal(err)
		}
	}
}
