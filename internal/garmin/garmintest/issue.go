package garmintest

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// tokenReply is what the token service answers.
type tokenReply struct {
	Scope            string `json:"scope"`
	JTI              string `json:"jti"`
	AccessToken      string `json:"access_token"`
	TokenType        string `json:"token_type"`
	RefreshToken     string `json:"refresh_token"`
	ExpiresIn        int64  `json:"expires_in"`
	RefreshExpiresIn int64  `json:"refresh_token_expires_in,omitzero"`
}

func (s *Server) accessLife() time.Duration { return cmp.Or(s.AccessLife, usualAccess) }
func (s *Server) grantLife() time.Duration  { return cmp.Or(s.RefreshLife, usualGrant) }

func (s *Server) writeTokens(w http.ResponseWriter, acc *account, clientID string) {
	jti := newUUID(nil)
	r := tokenReply{
		Scope: scope, JTI: jti, TokenType: "bearer",
		AccessToken:  s.newAccessToken(acc, clientID, jti),
		RefreshToken: s.newRefreshToken(acc, clientID),
		ExpiresIn:    int64(s.accessLife().Seconds()),
	}
	if !s.OmitRefreshLife {
		r.RefreshExpiresIn = int64(s.grantLife().Seconds())
	}
	s.note(r.AccessToken, r.RefreshToken)
	w.Header().Set("Cache-Control", "no-cache, no-store, private")
	writeJSON(w, http.StatusOK, r)
}

// accessClaims are the claims of an access token, in their usual order.
type accessClaims struct {
	Scope      []string        `json:"scope"`
	Issuer     string          `json:"iss"`
	Revocation []string        `json:"revocation_eligibility"`
	ClientType string          `json:"client_type"`
	Expires    json.RawMessage `json:"exp"` // an odd one is not believed here either
	Issued     int64           `json:"iat"`
	GarminGUID string          `json:"garmin_guid"`
	JTI        string          `json:"jti"`
	ClientID   string          `json:"client_id"`
}

func (s *Server) newAccessToken(acc *account, clientID, jti string) string {
	payload, err := json.Marshal(accessClaims{
		Scope: strings.Fields(scope), Issuer: "https://diauth." + acc.Region,
		Revocation: []string{"GLOBAL_SIGNOUT"}, ClientType: "UNDEFINED",
		Expires: s.expiry(), Issued: s.now().Unix(),
		GarminGUID: acc.GUID, JTI: jti, ClientID: clientID,
	})
	if err != nil {
		panic(err)
	}
	header := `{"kid":"di-oauth-signer-simulated","typ":"JWT","alg":"RS256"}`
	signed := base64url([]byte(header)) + "." + base64url(payload)
	return signed + "." + base64url(s.accessMAC(signed, acc))
}

func (s *Server) expiry() json.RawMessage {
	if s.Expiry != "" {
		return json.RawMessage(s.Expiry)
	}
	return strconv.AppendInt(nil, s.now().Add(s.accessLife()).Unix(), 10)
}

// accessMAC changes with the epochs, so that a step of either makes all earlier tokens worthless.
func (s *Server) accessMAC(signed string, acc *account) []byte {
	return s.mac("access", signed, acc.accessEpoch, s.epoch)
}

// bearer finds the account of a request's access token, nil when it is not active here.
func (s *Server) bearer(a ask) *account {
	token, ok := strings.CutPrefix(a.Header.Get("Authorization"), "Bearer ")
	i := strings.LastIndexByte(token, '.')
	parts := strings.Split(token, ".")
	if !ok || len(parts) != 3 {
		return nil
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	var c accessClaims
	if err != nil || json.Unmarshal(payload, &c) != nil {
		return nil
	}
	acc := s.accountByGUID(a.region, c.GarminGUID)
	ended := time.Unix(c.Issued, 0).Add(s.accessLife()).Before(s.now())
	if acc == nil || acc.Refused || ended || !hmac.Equal([]byte(parts[2]), []byte(base64url(s.accessMAC(token[:i], acc)))) {
		return nil
	}
	return acc
}

// newRefreshToken has the form of the real ones: base64 of a UUID and the account's GUID. The UUID holds when it was
// made, something random and a MAC, so that a later server with the same Key knows it again.
func (s *Server) newRefreshToken(acc *account, clientID string) string {
	head := make([]byte, 8)
	_, _ = rand.Read(head)
	binary.BigEndian.PutUint32(head, uint32(s.now().Unix()))
	value := newUUID(append(head, s.grantMAC(head, acc, clientID)...))
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, `{"refreshTokenValue":%q,"garminGuid":%q}`, value, acc.GUID))
}

func (s *Server) grantMAC(head []byte, acc *account, clientID string) []byte {
	return s.mac("grant", head, acc.GUID, acc.Region, clientID, acc.grantEpoch)[:8]
}

func (s *Server) grantEnd(raw []byte) time.Time {
	return time.Unix(int64(binary.BigEndian.Uint32(raw)), 0).Add(s.grantLife())
}

// newUUID prints 16 bytes as a UUID; nil means random ones.
func newUUID(b []byte) string {
	if b == nil {
		b = make([]byte, 16)
		_, _ = rand.Read(b)
	}
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func writeOAuthError(w http.ResponseWriter, status int, code, description string) {
	writeJSON(w, status, map[string]string{"error": code, "error_description": description})
}
