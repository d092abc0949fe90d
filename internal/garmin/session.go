package garmin

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
)

// maxSessionString bounds what ParseSession reads, in bytes; real ones have about 1,600 to 8,000.
const maxSessionString = 64 << 10

// Session is the tokens of one Garmin account, in the form that garth gives them: two objects, of which the first is
// empty but for the region when the tokens came from the DI service. It never changes once made.
type Session struct {
	region Region
	oauth1 object
	oauth2 object
	claims claims
}

// ParseSession reads what garth's dumps writes: base64 of the JSON list [oauth1, oauth2]. Members that it does not
// know are kept. Its errors quote nothing of the string.
func ParseSession(garthDumps string) (*Session, error) {
	if len(garthDumps) > maxSessionString {
		return nil, errors.New("garmin: session string is too long")
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(garthDumps))
	if err != nil {
		return nil, errors.New("garmin: session string is not base64")
	}
	var parts []json.RawMessage
	if json.Unmarshal(b, &parts) != nil || len(parts) != 2 {
		return nil, errors.New("garmin: session string is not a pair of JSON objects")
	}
	oauth1, err1 := parseObject(parts[0])
	oauth2, err2 := parseObject(parts[1])
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("garmin: session string: %w", err)
	}
	r, err := ParseRegion(oauth1.text("domain"))
	if err != nil {
		return nil, err
	}
	return makeSession(r, oauth1, oauth2)
}

func makeSession(r Region, oauth1, oauth2 object) (*Session, error) {
	token := oauth2.text("access_token")
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("garmin: session has no usable access token")
	}
	return &Session{region: r, oauth1: oauth1, oauth2: oauth2, claims: parseClaims(token)}, nil
}

// Dumps gives the string that garth's loads takes, all tokens in the clear: seal it at once.
func (s *Session) Dumps() (string, error) {
	var b strings.Builder
	b.WriteByte('[')
	s.oauth1.write(&b)
	b.WriteString(", ")
	s.oauth2.write(&b)
	b.WriteByte(']')
	if !json.Valid([]byte(b.String())) {
		return "", errors.New("garmin: session does not encode")
	}
	return base64.StdEncoding.EncodeToString([]byte(b.String())), nil
}

// Region returns where the account lives.
func (s *Session) Region() Region { return s.region }

// ExpiresAt returns when the access token ends: as the token itself says, else as it was noted when it came; zero
// when neither is known.
func (s *Session) ExpiresAt() time.Time {
	if !s.claims.expires.IsZero() {
		return s.claims.expires
	}
	return unixTime(s.oauth2.seconds("expires_at"))
}

// RefreshExpiresAt returns when the refresh token ends, zero when that is unknown.
func (s *Session) RefreshExpiresAt() time.Time {
	return unixTime(s.oauth2.seconds("refresh_token_expires_at"))
}

// GUID returns the account's id as the access token names it, which is not verified; "" when it does not.
func (s *Session) GUID() string { return s.claims.guid }

func (s *Session) accessToken() string  { return s.oauth2.text("access_token") }
func (s *Session) refreshToken() string { return s.oauth2.text("refresh_token") }

// legacy reports tokens that came by OAuth1; they are renewed by signing with it, not by their refresh token.
func (s *Session) legacy() bool { return s.oauth1.text("oauth_token") != "" }

// Format prints no token, whatever the verb.
func (Session) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue logs no token.
func (Session) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON keeps a session out of JSON that was not meant to hold one; Dumps is the way.
func (Session) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
