package notify

import (
	"crypto/hmac"
	"encoding/base64"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/link"
)

// ofOptOut is the kind of the MACs in tokens: they stand in mails, so never
// rename it.
const ofOptOut = "mail-opt-out"

// OptOuts names users in the links by which whoever has a mail of ours ends
// further ones, without a sign-in. All that such a link opens is that choice.
type OptOuts struct{ Vault *link.Vault }

// Token is for the links of one user's mails. It is the same for ever.
func (o OptOuts) Token(user uuid.UUID) string {
	return base64.RawURLEncoding.EncodeToString(append(user[:], o.Vault.MAC(ofOptOut, user.String())...))
}

// User is whose token it is. It fails with ErrNotFound for what is none.
func (o OptOuts) User(token string) (uuid.UUID, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) < len(uuid.UUID{}) {
		return uuid.Nil, ErrNotFound
	}
	user := uuid.UUID(raw[:len(uuid.UUID{})])
	if !hmac.Equal([]byte(o.Token(user)), []byte(token)) {
		return uuid.Nil, ErrNotFound
	}
	return user, nil
}
