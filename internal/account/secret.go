package account

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"log/slog"
	"strings"
)

// Secret is what a program shows to prove that it holds a service token, or the
// one who sets up that he runs the installation. Under fmt, slog, JSON and text encoding it prints as [redacted]; only Reveal gives
// the value.
type Secret string

const redacted = "[redacted]"

func (s Secret) Reveal() string { return string(s) }

func (Secret) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte(redacted)) }
func (Secret) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// A secret is a mark that scanners for leaked secrets can look for, and then
// random bytes with a checksum. So much is random that 160 bits are left
// beside those in the prefix, which everybody may see.
const (
	tokenMark    = "glt_" // of a service token
	setUpMark    = "gls_" // of the token that opens the set-up
	randomBytes  = 25
	checkBytes   = 5 // of the SHA-256 of the random ones
	prefixLength = len(tokenMark) + 8
	secretLength = len(tokenMark) + (randomBytes+checkBytes)*8/5
)

var secretCode = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func newSecret(mark string) Secret {
	random := make([]byte, randomBytes)
	_, _ = rand.Read(random) // never fails
	return Secret(mark + secretCode.EncodeToString(append(random, checksum(random)...)))
}

func checksum(random []byte) []byte {
	sum := sha256.Sum256(random)
	return sum[:checkBytes]
}

func (s Secret) prefix() string { return string(s[:prefixLength]) }

// hash is what is stored and looked up. A plain SHA-256 does: nobody can guess
// 160 random bits, however fast the hash, and how long the search in an index
// of hashes takes tells nothing of them. It fails with ErrTokenGarbled for what
// was never a secret with that mark.
func (s Secret) hash(mark string) ([]byte, error) {
	code, marked := strings.CutPrefix(string(s), mark)
	if !marked || len(s) != secretLength {
		return nil, ErrTokenGarbled
	}
	raw, err := secretCode.DecodeString(code)
	if err != nil || len(raw) != randomBytes+checkBytes || !bytes.Equal(checksum(raw[:randomBytes]), raw[randomBytes:]) {
		return nil, ErrTokenGarbled
	}
	sum := sha256.Sum256([]byte(s))
	return sum[:], nil
}
