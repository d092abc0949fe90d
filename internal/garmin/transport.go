package garmin

import (
	"net/http"
	"slices"
	"strings"
)

// environmentTransport is the usual transport: it takes its proxy from HTTPS_PROXY and its roots from SSL_CERT_FILE.
func environmentTransport() http.RoundTripper {
	t, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport
	}
	t = t.Clone()
	t.MaxResponseHeaderBytes = 64 << 10
	return t
}

// guard lets requests pass to the hosts of one region only, over https on the usual port. It stands below redirects
// too: whatever an answer says, a password, a ticket or a token reaches no other machine.
type guard struct {
	region   Region
	consumer bool // the request may go to the address of the OAuth1 consumer, and nowhere else
	next     http.RoundTripper
}

func (g guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if !g.allows(req) {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, errHost
	}
	return g.next.RoundTrip(req)
}

func (g guard) allows(req *http.Request) bool {
	if g.consumer {
		return req.URL.String() == consumerURL && (req.Host == "" || req.Host == req.URL.Host)
	}
	if _, err := ParseRegion(string(g.region)); err != nil {
		return false
	}
	name, ok := strings.CutSuffix(req.URL.Host, "."+string(g.region))
	return ok && req.URL.Scheme == "https" && req.URL.User == nil && slices.Contains(hosts, name) &&
		(req.Host == "" || req.Host == req.URL.Host)
}
