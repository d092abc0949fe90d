package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	// attemptTime bounds one attempt, from the name's look-up to the end of
	// the answer.
	attemptTime = 10 * time.Second

	// longestAnswer is how much of an answer is read, and thrown away, to keep
	// the connection, in bytes.
	longestAnswer = 64 << 10

	userAgent = "garminlink-webhook/1"
)

// sender posts messages. Over TLS it reaches public addresses and those that
// are allowed, without TLS those alone. It knows no proxy: behind one, the
// guard would not see where a message goes.
type sender struct {
	https, http *http.Client
	patience    time.Duration // attemptTime, but for tests of this package
}

// newSender trusts the system's certificates and name servers where roots and
// names are nil.
func newSender(allowed []netip.Prefix, roots *x509.CertPool, names *net.Resolver) *sender {
	return &sender{
		https:    newClient(guard{allowed: allowed, public: true}, roots, names),
		http:     newClient(guard{allowed: allowed}, roots, names),
		patience: attemptTime,
	}
}

// newClient speaks HTTP/1 alone: of a connection that has died unseen, a
// message that waits in vain is the last.
func newClient(g guard, roots *x509.CertPool, names *net.Resolver) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            g.dialer(names).DialContext,
			TLSClientConfig:        &tls.Config{RootCAs: roots},
			MaxResponseHeaderBytes: longestAnswer,
			DisableCompression:     true,
			IdleConnTimeout:        30 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// post makes one attempt.
func (s *sender) post(ctx context.Context, c Claimed, secrets [][]byte) Answer {
	within, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	begin := time.Now()
	request, err := newRequest(within, c, secrets)
	if err != nil {
		return Answer{Error: noAddress}
	}
	client := s.https
	if request.URL.Scheme == "http" {
		client = s.http
	}
	response, err := client.Do(request)
	a := Answer{Took: time.Since(begin)}
	switch {
	case err == nil:
		defer response.Body.Close()
		if response.StatusCode != http.StatusSwitchingProtocols { // whose body is the connection, that no context ends
			_, _ = io.CopyN(io.Discard, response.Body, longestAnswer) // what it says changes nothing
		}
		return a.of(response, c.At)
	case ctx.Err() != nil:
		a.Error, a.ours = "cut short, as this program ended", true
	default:
		a.Error = whyNone(err)
	}
	return a
}

func newRequest(ctx context.Context, c Claimed, secrets [][]byte) (*http.Request, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(c.Body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", userAgent)
	request.Header.Set("Webhook-Id", c.ID.String())
	request.Header.Set("Webhook-Timestamp", strconv.FormatInt(c.At.Unix(), 10))
	request.Header.Set("Webhook-Signature", signature(c.ID, c.At, c.Body, secrets...))
	return request, nil
}
