package notify

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/net/dns/dnsmessage"
)

func TestGuardLetsPublicAddressesPass(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"1.1.1.1": true, "8.8.8.8": true, "100.63.255.255": true, "172.32.0.1": true, "193.0.0.1": true, "223.255.255.255": true,
		"2606:4700:4700::1111": true, "2a00:1450:4001::200e": true, "::ffff:1.1.1.1": true,

		"0.0.0.0": false, "0.1.2.3": false, "127.0.0.1": false, "127.255.255.254": false,
		"10.0.0.1": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false,
		"169.254.169.254": false, "100.64.0.1": false, "100.127.255.255": false,
		"192.0.0.8": false, "192.0.2.1": false, "198.18.0.1": false, "198.51.100.1": false, "203.0.113.1": false,
		"192.88.99.1": false, "224.0.0.1": false, "239.255.255.255": false, "240.0.0.1": false, "255.255.255.255": false,

		"::": false, "::1": false, "::127.0.0.1": false, "fe80::1": false, "fe80::1%eth0": false, "fec0::1": false,
		"fc00::1": false, "fd00:ec2::254": false, "ff02::1": false, "100::1": false, "2001:db8::1": false, "3fff::1": false,
		"::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:169.254.169.254": false,
		"64:ff9b::7f00:1": false, "64:ff9b::1.1.1.1": false, "64:ff9b:1::10.0.0.1": false,
		"2002:7f00:1::": false, "2001:0:7f00:1::": false, "2001:20::1": false, "5f00::1": false,
	} {
		if got := (guard{public: true}).lets(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %t", address, got)
		}
		if (guard{}).lets(netip.MustParseAddr(address)) {
			t.Errorf("%s passes although nothing is allowed", address)
		}
	}
	if (guard{public: true}).lets(netip.Addr{}) {
		t.Error("no address passes")
	}
}

func TestGuardLetsPassWhatIsAllowed(t *testing.T) {
	t.Parallel()
	g := guard{allowed: prefixes("10.1.0.0/16", "fd00::/8")}
	for address, want := range map[string]bool{
		"10.1.2.3": true, "::ffff:10.1.2.3": true, "fd12::1": true,
		"10.2.0.1": false, "127.0.0.1": false, "fe80::1": false, "1.1.1.1": false,
	} {
		if got := g.lets(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %t", address, got)
		}
	}
}

// resolver asks a name server of ours, which gives these addresses, one at each
// look-up of an IPv4 address, and the last of them from then on.
func resolver(t *testing.T, answers ...string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	t.Cleanup(func() { conn.Close(); <-served })
	var asked atomic.Int64
	go func() {
		defer close(served)
		question := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(question)
			if err != nil {
				return
			}
			reply := nameReply(t, question[:n], func() string {
				i := min(int(asked.Add(1)), len(answers))
				return answers[i-1]
			})
			_, _ = conn.WriteTo(reply, from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func nameReply(t *testing.T, question []byte, next func() string) []byte {
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil {
		t.Error(err)
		return nil
	}
	m.Response, m.Additionals = true, nil
	if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class},
			Body:   &dnsmessage.AResource{A: netip.MustParseAddr(next()).As4()},
		}}
	}
	reply, err := m.Pack()
	if err != nil {
		t.Error(err)
	}
	return reply
}

func claimedFor(url string) Claimed {
	return Claimed{Delivery: Delivery{ID: uuid.Must(uuid.NewV7()), Body: "{}", State: Waiting}, URL: url, Number: 1, At: time.Now()}
}

// A name that was harmless when it was looked at first leads here later.
func TestNameThatMovesToAPrivateAddressIsNotFollowed(t *testing.T) {
	t.Parallel()
	var called atomic.Bool
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called.Store(true) }))
	t.Cleanup(inner.Close)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(inner.URL, "http://"))

	names := resolver(t, "1.1.1.1", "127.0.0.1")
	if first, err := names.LookupNetIP(t.Context(), "ip4", "rebind.example"); err != nil || len(first) != 1 || !public(first[0].Unmap()) {
		t.Fatalf("the name leads to %v, %v", first, err)
	}
	for _, scheme := range []string{"http", "https"} {
		s := newSender(nil, nil, names)
		if a := s.post(t.Context(), claimedFor(scheme+"://rebind.example:"+port+"/"), nil); a.Error != "not sent: the address is not allowed" || a.ours {
			t.Errorf("%s: %+v", scheme, a)
		}
	}
	if called.Load() {
		t.Error("the inner service was called")
	}
	s := newSender(prefixes("127.0.0.0/8"), nil, names)
	if a := s.post(t.Context(), claimedFor("http://rebind.example:"+port+"/"), nil); a.Error != "" || !called.Load() {
		t.Errorf("allowed: %+v", a)
	}
}

func TestWithoutTLSOnlyAllowedAddressesAreCalled(t *testing.T) {
	t.Parallel()
	s := newSender(prefixes("127.0.0.0/8"), nil, resolver(t, "1.1.1.1"))
	if a := s.post(t.Context(), claimedFor("http://public.example/"), nil); a.Error != "not sent: the address is not allowed" {
		t.Errorf("%+v", a)
	}
}

func TestTLSIsVerified(t *testing.T) {
	t.Parallel()
	r := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	r.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	r.StartTLS()
	t.Cleanup(r.Close)
	trusted := r.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(r.URL, "https://"))
	names := resolver(t, "127.0.0.1")
	loopback := prefixes("127.0.0.0/8")
	for what, c := range map[string]struct {
		sender *sender
		url    string
		want   string
	}{
		"trusted":      {newSender(loopback, trusted, nil), r.URL, ""},
		"unknown":      {newSender(loopback, nil, nil), r.URL, "its certificate is of nobody who is trusted"},
		"another name": {newSender(loopback, trusted, names), "https://other.test:" + port, "its certificate is for another name"},
		"no TLS":       {newSender(loopback, trusted, nil), "http://127.0.0.1:" + port, "answered 400"},
		"not allowed":  {newSender(nil, trusted, nil), r.URL, "not sent: the address is not allowed"},
	} {
		if a := c.sender.post(t.Context(), claimedFor(c.url), nil); a.Error != c.want {
			t.Errorf("%s: %+v", what, a)
		}
	}
}

// What stands between us may forget a connection and tell nobody.
func TestConnectionThatDiedIsLeftAfterOneMessage(t *testing.T) {
	t.Parallel()
	var died atomic.Value
	r := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if !died.CompareAndSwap(nil, r.RemoteAddr) && died.Load() == r.RemoteAddr {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}
	}))
	r.EnableHTTP2 = true
	r.StartTLS()
	t.Cleanup(r.Close)
	s := newSender(prefixes("127.0.0.0/8"), r.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, nil)
	s.patience = 2 * time.Second
	for i, want := range []int{http.StatusOK, 0, http.StatusOK} {
		if a := s.post(t.Context(), claimedFor(r.URL), nil); a.Status != want {
			t.Errorf("message %d: %+v", i, a)
		}
	}
}

// A proxy would be called in the place of the address that the guard judges.
func TestEnvironmentsProxyIsNotUsed(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	for _, c := range []*http.Client{newSender(nil, nil, nil).https, newSender(nil, nil, nil).http} {
		if c.Transport.(*http.Transport).Proxy != nil {
			t.Error("there is one")
		}
	}
}

func TestAddressesOfEndpoints(t *testing.T) {
	t.Parallel()
	allowed := prefixes("10.0.0.0/8")
	for url, want := range map[string]error{
		"https://example.com/hook?a=b":  nil,
		"https://example.com:8443":      nil,
		"https://1.1.1.1/":              nil,
		"https://10.1.2.3/":             nil,
		"http://10.1.2.3:8080/":         nil,
		"http://inner.example/":         nil, // seen at each call
		"http://1.1.1.1/":               ErrAddressRefused,
		"https://127.0.0.1/":            ErrAddressRefused,
		"https://[::1]/":                ErrAddressRefused,
		"https://[::ffff:127.0.0.1]/":   ErrAddressRefused,
		"https://169.254.169.254/":      ErrAddressRefused,
		"https://user:pw@example.com/":  ErrURL,
		"https://user@example.com/":     ErrURL,
		"https://example.com/#fragment": ErrURL,
		"ftp://example.com/":            ErrURL,
		"example.com/hook":              ErrURL,
		"https:example.com":             ErrURL,
		"https://":                      ErrURL,
		"https://:443/":                 ErrURL,
		" https://example.com/":         ErrURL,
		"https://example.com/\n":        ErrURL,
		"https://exa mple.com/":         ErrURL,
		"":                              ErrURL,
		"https://example.com/" + strings.Repeat("a", longestURL): ErrURL,
	} {
		if err := checkURL(url, allowed); !errors.Is(err, want) {
			t.Errorf("%.60q: %v, want %v", url, err, want)
		}
	}
	if err := checkURL("http://inner.example/", nil); !errors.Is(err, ErrURL) {
		t.Errorf("without TLS, to nowhere that is allowed: %v", err)
	}
}

func FuzzEndpointAddress(f *testing.F) {
	for _, seed := range []string{"https://example.com/", "http://10.0.0.1", "https://[::1]:1/a?b#c", "https://a@b", "https://2130706433/", "https://0x7f.1/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if checkURL(text, prefixes("10.0.0.0/8")) != nil {
			return
		}
		request, err := newRequest(t.Context(), claimedFor(text), nil)
		if err != nil {
			t.Fatalf("%q was taken, and cannot be called: %v", text, err)
		}
		if u := request.URL; u.User != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
			t.Errorf("%q was taken", text)
		}
	})
}
