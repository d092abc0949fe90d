package garmin

import (
	"cmp"
	"time"
)

// refreshLife is how long a refresh token lives when Garmin never said: 30 days less a second, as recorded.
const refreshLife = 2591999

// firstSession makes a session of a token reply, and of the OAuth1 token that it was got with, if any.
func (c *Client) firstSession(op string, oauth1 object, f fields) (*Session, error) {
	s, err := makeSession(oauth1, c.tokenObject(nil, f))
	if err != nil {
		return nil, &Error{Kind: KindProtocol, Op: op, Err: err, sent: true}
	}
	return s, nil
}

// nextSession makes the session that follows old; what the reply does not say stays as it was.
func (c *Client) nextSession(op string, old *Session, f fields) (*Session, error) {
	oauth2 := c.tokenObject(old.oauth2, f)
	if parseClaims(oauth2.text(keyAccess)).clientID != "" {
		oauth2 = oauth2.without(keyClient)
	}
	s, err := makeSession(old.oauth1, oauth2)
	if err != nil {
		return nil, &Error{Kind: KindProtocol, Op: op, Err: err, sent: true}
	}
	return s, nil
}

// tokenObject writes the nine members that garth's OAuth2Token has, in its order; garth refuses others.
func (c *Client) tokenObject(old object, f fields) object {
	now := c.now().Unix()
	token := f.text("access_token")
	said := parseClaims(token)
	expiresIn, expiresAt := accessLife(f, said, now)
	refreshIn, refreshAt := refreshLifeOf(old, f, now)
	return old.
		with("scope", cmp.Or(f.text("scope"), said.scope, old.text("scope"))).
		with("jti", cmp.Or(f.text("jti"), said.jti)).
		with("token_type", cmp.Or(f.text("token_type"), "Bearer")).
		with("access_token", token).
		with("refresh_token", cmp.Or(f.text("refresh_token"), old.text("refresh_token"))).
		with("expires_in", expiresIn).
		with("expires_at", expiresAt).
		with("refresh_token_expires_in", refreshIn).
		with("refresh_token_expires_at", refreshAt)
}

// accessLife gives the seconds that the access token lives and the Unix second at which it ends. The token's own exp
// is believed first; both are 0 when nobody says.
func accessLife(f fields, said claims, now int64) (in, at int64) {
	in = f.seconds("expires_in")
	switch {
	case !said.expires.IsZero():
		at = said.expires.Unix()
		return cmp.Or(in, max(at-now, 0)), at
	case in != 0:
		return in, now + in
	}
	return 0, 0
}

// refreshLifeOf does the same for the refresh token. A new one whose end is not stated gets the last known life from
// now on; one that was merely kept keeps its end.
func refreshLifeOf(old object, f fields, now int64) (in, at int64) {
	stated := f.seconds("refresh_token_expires_in")
	known := cmp.Or(old.seconds("refresh_token_expires_in"), refreshLife)
	fresh := f.text("refresh_token") != "" && f.text("refresh_token") != old.text("refresh_token")
	if stated != 0 || fresh {
		in = min(cmp.Or(stated, known), int64((100*365*24*time.Hour)/time.Second))
		return in, now + in
	}
	return old.seconds("refresh_token_expires_in"), old.seconds("refresh_token_expires_at")
}
