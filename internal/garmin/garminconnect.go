package garmin

import "slices"

// The members of the formats: garth's OAuth1Token and OAuth2Token, and garminconnect's garmin_tokens.json.
const (
	keyToken  = "oauth_token"
	keySecret = "oauth_token_secret"
	keyMFA    = "mfa_token"
	keyMFAEnd = "mfa_expiration_timestamp"
	keyDomain = "domain"

	keyScope     = "scope"
	keyJTI       = "jti"
	keyType      = "token_type"
	keyAccess    = "access_token"
	keyRefresh   = "refresh_token"
	keyIn        = "expires_in"
	keyAt        = "expires_at"
	keyRefreshIn = "refresh_token_expires_in"
	keyRefreshAt = "refresh_token_expires_at"

	keyDIToken   = "di_token"
	keyDIRefresh = "di_refresh_token"
	keyClient    = "di_client_id"
)

// The members that garth's loads accepts; it fails on any other.
var (
	oauth1Keys = []string{keyToken, keySecret, keyMFA, keyMFAEnd, keyDomain}
	oauth2Keys = []string{keyScope, keyJTI, keyType, keyAccess, keyRefresh, keyIn, keyAt, keyRefreshIn, keyRefreshAt}
)

// parseGarminconnect makes a session in garth's form: what the JSON does not say is taken from the token, and an end
// that nobody states is 0. A client id that the token does not name, and members that are not known, stand beside
// garth's own.
func parseGarminconnect(o object) (*Session, error) {
	token := o.text(keyDIToken)
	said := parseClaims(token)
	var expires, life int64
	if !said.expires.IsZero() {
		expires = said.expires.Unix()
	}
	if !said.issued.IsZero() {
		life = max(expires-said.issued.Unix(), 0)
	}
	oauth2 := object(nil).
		with(keyScope, said.scope).with(keyJTI, said.jti).with(keyType, "Bearer").
		with(keyAccess, token).with(keyRefresh, o.text(keyDIRefresh)).
		with(keyIn, life).with(keyAt, expires).with(keyRefreshIn, int64(0)).with(keyRefreshAt, int64(0))
	for _, m := range o.without(keyDIToken, keyDIRefresh) {
		named := m.key == keyClient && (o.text(keyClient) == said.clientID || o.text(keyClient) == "")
		if !named && !slices.Contains(oauth2Keys, m.key) {
			oauth2 = append(oauth2, m)
		}
	}
	oauth1 := object(nil).with(keyToken, "").with(keySecret, "").with(keyMFA, nil).with(keyMFAEnd, nil).with(keyDomain, nil)
	return makeSession(oauth1, oauth2)
}

// DumpGarminconnect gives the JSON that python-garminconnect's loads takes, all tokens in the clear: seal it at once.
// That form has no place for OAuth1, so of a legacy session it holds the access token alone.
func (s *Session) DumpGarminconnect() string {
	orNull := func(value string) any {
		if value == "" {
			return nil
		}
		return value
	}
	var refresh string
	if s.Renewal() == RenewDI {
		refresh = s.refreshToken()
	}
	o := object(nil).with(keyDIToken, s.accessToken()).with(keyDIRefresh, orNull(refresh)).with(keyClient, orNull(s.clientID()))
	o = append(o, s.oauth2.without(slices.Concat(oauth2Keys, []string{keyClient, keyDIToken, keyDIRefresh})...)...)
	return string(o.appendTo(nil))
}
