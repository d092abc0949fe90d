package notify

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/link"
)

// secretPrefix and secretSize are Standard Webhooks': 24 to 64 random bytes.
const (
	secretPrefix = "whsec_"
	secretSize   = 32
)

func newSecret() []byte {
	secret := make([]byte, secretSize)
	_, _ = rand.Read(secret) // never fails: it ends the program instead
	return secret
}

// shown is a secret as its receiver is given it, once.
func shown(secret []byte) link.Secret {
	return link.Secret(secretPrefix + base64.StdEncoding.EncodeToString(secret))
}

// signature is the value of webhook-signature: one for each secret, so that a
// receiver which has either takes the message.
func signature(id uuid.UUID, at time.Time, body string, secrets ...[]byte) string {
	content := id.String() + "." + strconv.FormatInt(at.Unix(), 10) + "." + body
	signatures := make([]string, len(secrets))
	for i, secret := range secrets {
		h := hmac.New(sha256.New, secret)
		h.Write([]byte(content))
		signatures[i] = "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil))
	}
	return strings.Join(signatures, " ")
}
