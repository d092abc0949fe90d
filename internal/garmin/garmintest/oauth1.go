package garmintest

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	consumerHost      = "thegarth.s3.amazonaws.com"
	preauthorizedPath = "/oauth-service/oauth/preauthorized"
	oauth1Path        = "/oauth-service/oauth/exchange/user/2.0"
	legacyClientID    = "GARMIN_CONNECT_MOBILE_ANDROID_DI"
	clockSkew         = 5 * time.Minute // assumed
	mfaTokenLife      = 365 * 24 * time.Hour
)

func (s *Server) consumerPair() (key, secret string) {
	return cmp.Or(s.ConsumerKey, "11111111-2222-3333-4444-555555555555"), cmp.Or(s.ConsumerSecret, "simulated-consumer-secret")
}

// consumer is the published file. No cookie and no credential may be sent for it.
func (s *Server) consumer(w http.ResponseWriter, a ask) {
	if a.URL.RawQuery != "" || len(a.Cookies()) > 0 || a.Header.Get("Authorization") != "" {
		writePage(w, http.StatusForbidden, "AccessDenied")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key, secret := s.consumerPair()
	s.note(secret)
	writeJSON(w, http.StatusOK, map[string]string{"consumer_key": key, "consumer_secret": secret})
}

// preauthorize gives an OAuth1 token for a ticket of the Android app's or the widget's service.
func (s *Server) preauthorize(w http.ResponseWriter, a ask) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := a.URL.Query()
	s.note(q.Get("ticket"))
	if problem := s.checkSignature(a, "", ""); problem != "" {
		writeOAuthProblem(w, problem)
		return
	}
	t := s.tickets[q.Get("ticket")]
	android := signInClients["GCM_ANDROID_DARK"].service(a.region)
	fits := q.Get("login-url") == android || q.Get("login-url") == embedService(a.region)
	if t == nil || !fits || t.service != q.Get("login-url") || t.account.Region != a.region || s.now().Sub(t.since) > ticketLife {
		writeUnauthorized(w)
		return
	}
	delete(s.tickets, q.Get("ticket"))
	token, secret := s.newOAuth1(t.account)
	s.note(token, secret)
	text := "oauth_token=" + token + "&oauth_token_secret=" + secret
	if t.account.MFA != "" && q.Get("accepts-mfa-tokens") == "true" {
		mfa := s.mfaToken(t.account)
		s.note(mfa)
		text += "&mfa_token=" + mfa + "&mfa_expiration_timestamp=" + s.now().Add(mfaTokenLife).UTC().Format("2006-01-02 15:04:05.000")
	}
	w.Header().Set("Content-Type", "text/plain;charset=utf-8")
	_, _ = w.Write([]byte(text))
}

// exchangeOAuth1 gives an access token for an OAuth1 token, as often as it is asked.
func (s *Server) exchangeOAuth1(w http.ResponseWriter, a ask) {
	s.mu.Lock()
	defer s.mu.Unlock()
	params := authorization(a)
	acc := s.oauth1Account(a.region, params["oauth_token"])
	if acc == nil {
		writeUnauthorized(w)
		return
	}
	if problem := s.checkSignature(a, params["oauth_token"], s.oauth1Secret(params["oauth_token"])); problem != "" {
		writeOAuthProblem(w, problem)
		return
	}
	audience := a.form().Get("audience")
	if acc.MFA != "" && a.form().Get("mfa_token") != s.mfaToken(acc) || audience != "" && audience != legacyClientID {
		writeUnauthorized(w)
		return
	}
	s.writeTokens(w, acc, legacyClientID)
}

// newOAuth1 makes a token that a later server with the same Key knows again: a UUID of something random and a MAC.
func (s *Server) newOAuth1(acc *account) (token, secret string) {
	head := make([]byte, 8)
	_, _ = rand.Read(head)
	token = newUUID(append(head, s.oauth1MAC(head, acc)...))
	return token, s.oauth1Secret(token)
}

func (s *Server) oauth1MAC(head []byte, acc *account) []byte {
	return s.mac("oauth1", head, acc.GUID, acc.Region, acc.grantEpoch)[:8]
}

func (s *Server) oauth1Secret(token string) string {
	return hex.EncodeToString(s.mac("oauth1 secret", token))[:35]
}

func (s *Server) mfaToken(acc *account) string {
	return "MFA-1571-" + hex.EncodeToString(s.mac("mfa", acc.GUID, acc.Region))[:48] + "-cas"
}

// oauth1Account finds the account of an OAuth1 token, nil when it is none, or dead.
func (s *Server) oauth1Account(region, token string) *account {
	raw, err := hex.DecodeString(strings.ReplaceAll(token, "-", ""))
	if err != nil || len(raw) != 16 {
		return nil
	}
	for _, acc := range s.accounts {
		if acc.Region == region && hmac.Equal(raw[8:], s.oauth1MAC(raw[:8], acc)) {
			return acc
		}
	}
	return nil
}

// authorization reads the OAuth header.
func authorization(a ask) map[string]string {
	params := map[string]string{}
	list, _ := strings.CutPrefix(a.Header.Get("Authorization"), "OAuth ")
	for pair := range strings.SplitSeq(list, ", ") {
		key, value, _ := strings.Cut(pair, "=")
		params[key], _ = url.PathUnescape(strings.Trim(value, `"`))
	}
	return params
}

// checkSignature names what is wrong with the signature of a request (RFC 5849, 3.4), "" for nothing.
func (s *Server) checkSignature(a ask, token, tokenSecret string) string {
	params := authorization(a)
	key, consumerSecret := s.consumerPair()
	stamp, err := strconv.ParseInt(params["oauth_timestamp"], 10, 64)
	_, used := s.nonces[params["oauth_nonce"]]
	named, present := params["oauth_token"]
	switch {
	case params["oauth_consumer_key"] != key:
		return "consumer_key_unknown"
	case err != nil || s.now().Sub(time.Unix(stamp, 0)).Abs() > clockSkew:
		return "timestamp_refused"
	case used || params["oauth_nonce"] == "":
		return "nonce_used"
	case params["oauth_signature_method"] != "HMAC-SHA1" || params["oauth_version"] != "1.0" || present && named != token:
		return "parameter_rejected"
	}
	s.nonces[params["oauth_nonce"]] = struct{}{}
	m := hmac.New(sha1.New, []byte(escape(consumerSecret)+"&"+escape(tokenSecret)))
	_, _ = m.Write([]byte(signedText(a, params)))
	if params["oauth_signature"] != base64.StdEncoding.EncodeToString(m.Sum(nil)) {
		return "signature_invalid"
	}
	return ""
}

func signedText(a ask, oauth map[string]string) string {
	var all []string
	add := func(key, value string) { all = append(all, escape(key)+"="+escape(value)) }
	for key, values := range a.URL.Query() {
		add(key, values[0])
	}
	for key, values := range a.form() {
		add(key, values[0])
	}
	for _, key := range slices.Sorted(maps.Keys(oauth)) {
		if key != "oauth_signature" {
			add(key, oauth[key])
		}
	}
	slices.Sort(all)
	return a.Method + "&" + escape("https://"+a.Host+a.URL.Path) + "&" + escape(strings.Join(all, "&"))
}

// escape is RFC 3986's percent encoding.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// writeOAuthProblem is a refusal that says what is wrong with the request; that Garmin does is assumed.
func writeOAuthProblem(w http.ResponseWriter, problem string) {
	w.Header().Set("WWW-Authenticate", `OAuth realm="oauth-service", oauth_problem="`+problem+`"`)
	w.WriteHeader(http.StatusUnauthorized)
}
