package garmin

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
)

// Session is the tokens of one Garmin account, in the form that garth gives them: two objects, of which the first is
// empty but for the region when the tokens came from the DI service. It never changes once made.
type Session struct {
	region Region
	oauth1 object
	oauth2 object
}

// makeSession takes the region from the first object, or else from the token's issuer. Where both name one the first is
// believed: it is the host that gave the token.
func makeSession(oauth1, oauth2 object) (*Session, error) {
	token := oauth2.text(keyAccess)
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, &InputError{Fault: FaultNoToken}
	}
	if raw := oauth1.get(keyDomain); raw != "" && raw != "null" {
		region, err := ParseRegion(oauth1.text(keyDomain))
		if err != nil {
			return nil, &InputError{Fault: FaultRegion}
		}
		return &Session{region, oauth1, oauth2}, nil
	}
	region := parseClaims(token).region
	if region == "" {
		return nil, &InputError{Fault: FaultRegion}
	}
	return &Session{region, oauth1.with(keyDomain, string(region)), oauth2}, nil
}

// Region returns where the account lives.
func (s *Session) Region() Region { return s.region }

// SameGrant reports that both are renewed by the same token.
func (s *Session) SameGrant(o *Session) bool {
	switch s.Renewal() {
	case RenewDI:
		return s.refreshToken() == o.refreshToken()
	case RenewOAuth1:
		return s.oauth1.text(keyToken) == o.oauth1.text(keyToken)
	}
	return false
}

// Same reports that both hold the very same tokens.
func (s *Session) Same(o *Session) bool {
	return s.region == o.region && s.accessToken() == o.accessToken() && s.Renewal() == o.Renewal() &&
		(s.Renewal() == RenewNone || s.SameGrant(o))
}

// OlderThan reports that Garmin issued the access token before o's, as both say. What renews an older session may be spent
// although its access token still works.
func (s *Session) OlderThan(o *Session) bool {
	issued := s.claims().issued
	return !issued.IsZero() && issued.Before(o.claims().issued)
}

// Misplaced reports that the access token was issued in another region than the one that the session says.
func (s *Session) Misplaced() bool {
	issuer := s.claims().region
	return issuer != "" && issuer != s.region
}

// ExpiresAt returns when the access token ends: as the token itself says, else as it was noted when it came; zero
// when neither is known.
func (s *Session) ExpiresAt() time.Time {
	if expires := s.claims().expires; !expires.IsZero() {
		return expires
	}
	return unixTime(s.oauth2.seconds("expires_at"))
}

// RefreshExpiresAt returns when the refresh token ends, zero when that is unknown.
func (s *Session) RefreshExpiresAt() time.Time {
	return unixTime(s.oauth2.seconds("refresh_token_expires_at"))
}

// GUID returns the account's id as the access token names it, which is not verified; "" when it does not.
func (s *Session) GUID() string { return s.claims().guid }

// AccessToken returns what Garmin's API takes as a bearer token.
func (s *Session) AccessToken() Secret { return Secret(s.accessToken()) }

// claims are read anew each time: whoever hands a session out needs none.
func (s *Session) claims() claims { return parseClaims(s.accessToken()) }

func (s *Session) accessToken() string  { return s.oauth2.text(keyAccess) }
func (s *Session) refreshToken() string { return s.oauth2.text(keyRefresh) }

// clientID is the DI client that the refresh token belongs to, "" when nobody says.
func (s *Session) clientID() string {
	if id := cleanID(s.oauth2.text(keyClient)); id != "" {
		return id
	}
	return s.claims().clientID
}

// Renewal is how a session gets its next access token.
type Renewal string

// The ways of renewal.
const (
	RenewDI     Renewal = "di"     // with its refresh token, which Garmin may replace each time
	RenewOAuth1 Renewal = "oauth1" // by signing with its OAuth1 token, as often as one likes for about a year
	RenewNone   Renewal = "none"   // not at all: what would renew it was stripped, or never there
)

// Renewal says how Refresh renews the session.
func (s *Session) Renewal() Renewal {
	switch {
	case s.oauth1.text(keyToken) != "" && s.oauth1.text(keySecret) != "":
		return RenewOAuth1
	case s.refreshToken() != "" && s.oauth1.text(keyToken) == "":
		return RenewDI
	}
	return RenewNone
}

// EndsAt returns an end that no renewal moves: of the access token when nothing renews it, of the OAuth1 token when Garmin
// stated one (it does for accounts with MFA, about a year ahead). Zero when none is known.
func (s *Session) EndsAt() time.Time {
	switch s.Renewal() {
	case RenewNone:
		return s.ExpiresAt()
	case RenewOAuth1:
		end, _ := time.Parse("2006-01-02T15:04:05.999999", s.oauth1.text(keyMFAEnd))
		return end
	}
	return time.Time{}
}

// CheckLife returns an InputError with FaultExpired when the session surely is of no use at a time: its access token
// has ended, and so has what would renew it. An end that nobody stated counts as not reached.
func (s *Session) CheckLife(now time.Time) error {
	over := func(end time.Time) bool { return !end.IsZero() && !now.Before(end) }
	renewal := s.Renewal()
	if !over(s.ExpiresAt()) || renewal == RenewOAuth1 || renewal == RenewDI && !over(s.RefreshExpiresAt()) {
		return nil
	}
	return &InputError{Fault: FaultExpired}
}

// Format prints no token, whatever the verb.
func (Session) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue logs no token.
func (Session) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON keeps a session out of JSON that was not meant to hold one; Dumps is the way.
func (Session) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
