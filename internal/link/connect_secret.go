package link

import (
	"crypto/hmac"
	"encoding/base64"
	"strconv"

	"github.com/google/uuid"
)

// The secrets of connect sessions are MACs under the installation's key. So
// they need not be kept, a repeated request gets the same address, and of two
// answers to a double click both hold the same code.
const (
	ofAddress    = "connect-address"
	ofBrowser    = "connect-browser"
	ofCompletion = "connect-code"
)

// addressOf is the secret in the address to which the user is sent.
func (v *Vault) addressOf(id uuid.UUID) Secret { return v.named(id, ofAddress, "") }

// browserOf is the secret of the browser that has sent this form. The same form
// sent twice is the same browser.
func (v *Vault) browserOf(id uuid.UUID, form string) Secret { return v.named(id, ofBrowser, form) }

// completionOf is the code that completes what the connect session has led to.
func (v *Vault) completionOf(id uuid.UUID, generation int64) Secret {
	mac := v.macOf(ofCompletion, id.String()+"/"+strconv.FormatInt(generation, 10))
	return Secret(base64.RawURLEncoding.EncodeToString(mac))
}

// named is a secret from which idIn reads whose it is.
func (v *Vault) named(id uuid.UUID, kind, of string) Secret {
	return Secret(base64.RawURLEncoding.EncodeToString(append(id[:], v.macOf(kind, id.String()+"/"+of)...)))
}

// idIn is whose secret a text may be: nothing is proved by it. It is the zero
// id for what is no such secret.
func idIn(secret Secret) uuid.UUID {
	text, err := base64.RawURLEncoding.Strict().DecodeString(secret.Reveal())
	if err != nil || len(text) <= len(noID) {
		return noID
	}
	return uuid.UUID(text[:len(noID)])
}

func sameSecret(a, b Secret) bool { return hmac.Equal([]byte(a.Reveal()), []byte(b.Reveal())) }
