package garmin

import (
	"crypto/rand"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/dghubble/oauth1"
)

// oauth1Token is a token and its secret, both empty before there is one.
type oauth1Token struct {
	token  string
	secret Secret
}

// signer signs a request with HMAC-SHA1 (RFC 5849). The library's own transport would send an empty oauth_token where
// there is none yet; the recorded client leaves it out, so only the library's signature and escaping are used.
func (c *Client) signer(consumer Consumer, t oauth1Token, form url.Values) func(*http.Request) {
	return func(req *http.Request) {
		params := map[string]string{
			"oauth_consumer_key":     consumer.Key,
			"oauth_nonce":            rand.Text(),
			"oauth_signature_method": "HMAC-SHA1",
			"oauth_timestamp":        strconv.FormatInt(c.now().Unix(), 10),
			"oauth_version":          "1.0",
		}
		if t.token != "" {
			params["oauth_token"] = t.token
		}
		hmac := oauth1.HMACSigner{ConsumerSecret: consumer.Secret.Reveal()}
		// HMAC-SHA1 cannot fail.
		params["oauth_signature"], _ = hmac.Sign(t.secret.Reveal(), signatureBase(req, params, form))
		req.Header.Set("Authorization", "OAuth "+pairs(params, `="`, `"`, ", "))
	}
}

// signatureBase is the text that is signed (RFC 5849, 3.4.1). No request of ours names a parameter twice.
func signatureBase(req *http.Request, params map[string]string, form url.Values) string {
	all := maps.Clone(params)
	for _, values := range []url.Values{req.URL.Query(), form} {
		for key := range values {
			all[key] = values.Get(key)
		}
	}
	address := "https://" + req.URL.Host + req.URL.EscapedPath()
	return req.Method + "&" + oauth1.PercentEncode(address) + "&" + oauth1.PercentEncode(pairs(all, "=", "", "&"))
}

func pairs(params map[string]string, before, after, between string) string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(params)) {
		out = append(out, oauth1.PercentEncode(key)+before+oauth1.PercentEncode(params[key])+after)
	}
	return strings.Join(out, between)
}
