package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/garminlink/garminlink/internal/seal"
)

// Keys says where the keyset comes from: as it is, or wrapped by a key
// management service.
type Keys struct {
	Keyset     secret `env:"KEYSET,required"`
	KeysetFile string `env:"KEYSET_FILE"`
	Wrapping
}

// Wrapping is the key management service that has wrapped the keyset.
type Wrapping struct {
	KMS            kms        `env:"KMS" envDefault:"none"`
	VaultAddr      origin     `env:"VAULT_ADDR"`
	VaultToken     secret     `env:"VAULT_TOKEN"`
	VaultTokenFile string     `env:"VAULT_TOKEN_FILE"`
	VaultKey       transitKey `env:"VAULT_KEY"`
}

type kms string

func (k *kms) UnmarshalText(text []byte) error { return choose(k, text, "none", "vault-transit") }

// transitKey is a key and where its engine is mounted: transit/garminlink.
type transitKey struct{ mount, name string }

var transitKeyPattern = regexp.MustCompile(`^((?:[A-Za-z0-9][\w.-]*/)*[A-Za-z0-9][\w.-]*)/([A-Za-z0-9][\w.-]*)$`)

func (k *transitKey) UnmarshalText(text []byte) error {
	parts := transitKeyPattern.FindSubmatch(text)
	if parts == nil {
		return fmt.Errorf("%q is not of the form transit/key: where the engine is mounted, and a key of it", text)
	}
	k.mount, k.name = string(parts[1]), string(parts[2])
	return nil
}

// wrapper fails with a refusal if a setting is missing.
func (w Wrapping) wrapper() (seal.Wrapper, error) {
	if w.KMS != "vault-transit" {
		return unwrapped{}, nil
	}
	var missing []string
	if w.VaultAddr.URL == nil {
		missing = append(missing, prefix+"VAULT_ADDR")
	}
	if w.VaultToken == "" {
		missing = append(missing, prefix+"VAULT_TOKEN")
	}
	if w.VaultKey.name == "" {
		missing = append(missing, prefix+"VAULT_KEY")
	}
	if len(missing) > 0 {
		return nil, refuse("%sKMS=vault-transit needs %s", prefix, strings.Join(missing, " and "))
	}
	return seal.NewTransit(w.VaultAddr.URL, w.VaultKey.mount, w.VaultKey.name, w.vaultToken), nil
}

// unwrapped is the seal.Wrapper of keysets that are deployed as they are.
type unwrapped struct{}

var errWrapped = errors.New("the keyset is wrapped by a key management service")

func (unwrapped) Wrap(_ context.Context, keyset []byte) (string, error) { return string(keyset), nil }

func (unwrapped) Unwrap(_ context.Context, text string) ([]byte, error) {
	if strings.HasPrefix(text, "vault:") {
		return nil, errWrapped
	}
	return []byte(text), nil
}

// vaultToken is read again each time: an agent that renews it writes the file
// anew.
func (w Wrapping) vaultToken() (string, error) {
	if w.VaultTokenFile == "" {
		return string(w.VaultToken), nil
	}
	return readSecret(w.VaultTokenFile)
}

// keysetSource reads the keyset as it is deployed, and makes what is to be
// deployed next.
type keysetSource struct {
	seal.Wrapper
	config Keys
	text   string // that was read last
	json   []byte // the keyset itself
	ring   *seal.Keyring
}

// open reads the keyset for the first time. Its error is a refusal unless
// trying again may help.
func (k Keys) open(ctx context.Context) (*keysetSource, error) {
	wrapper, err := k.wrapper()
	if err != nil {
		return nil, err
	}
	source := &keysetSource{Wrapper: wrapper, config: k}
	_, err = source.load(ctx)
	return source, err
}

// load returns the ring of the keyset that is deployed now; the same one as
// long as that does not change. Its errors hold nothing of a keyset.
func (s *keysetSource) load(ctx context.Context) (*seal.Keyring, error) {
	ring, err := s.read(ctx)
	if err != nil {
		return nil, adviseOnKeyset(err)
	}
	return ring, nil
}

func (s *keysetSource) read(ctx context.Context) (*seal.Keyring, error) {
	text := string(s.config.Keyset)
	if s.config.KeysetFile != "" {
		var err error
		if text, err = readSecret(s.config.KeysetFile); err != nil {
			return nil, err
		}
	}
	if text == s.text {
		return s.ring, nil
	}
	json, err := s.Unwrap(ctx, text)
	if err != nil {
		return nil, err
	}
	ring, err := seal.Parse(json)
	if err != nil {
		return nil, err
	}
	s.text, s.json, s.ring = text, json, ring
	return ring, nil
}

// adviseOnKeyset says what to do about a keyset that cannot be used.
func adviseOnKeyset(err error) error {
	switch {
	case errors.Is(err, errWrapped):
		return refuse("GARMINLINK_KEYSET: %w: set GARMINLINK_KMS=vault-transit, and GARMINLINK_VAULT_ADDR, _TOKEN and _KEY", err)
	case errors.Is(err, seal.ErrNotWrapped):
		return refuse("GARMINLINK_KEYSET: %w: put the wrapped one there, or unset GARMINLINK_KMS", err)
	case errors.Is(err, seal.ErrKMSRefused):
		return refuse("GARMINLINK_KEYSET: %w: check GARMINLINK_VAULT_ADDR, _TOKEN and _KEY", err)
	case errors.Is(err, seal.ErrKeyset):
		return refuse("GARMINLINK_KEYSET: %w: put your copy of it back; `garminlink keys generate` makes one for a new database only", err)
	default:
		return fmt.Errorf("GARMINLINK_KEYSET: %w", err)
	}
}
