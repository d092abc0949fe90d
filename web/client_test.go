package web

import (
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestClientAddress(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.1.2.3/8"), netip.MustParsePrefix("2001:db8:aaaa::/48")}
	for _, c := range []struct {
		name, remote, forwarded, want string
		proxies                       []netip.Prefix
	}{
		{"no proxy", "198.51.100.1:1", "", "198.51.100.1", nil},
		{"a client that claims to be a proxy", "198.51.100.1:1", "203.0.113.9", "198.51.100.1", proxies},
		{"no proxies, whatever it says", "10.0.0.1:1", "203.0.113.9", "10.0.0.1", nil},
		{"one proxy", "10.0.0.1:1", "203.0.113.9", "203.0.113.9", proxies},
		{"two proxies", "[2001:db8:aaaa::1]:1", "192.0.2.1, 203.0.113.9, 10.9.9.9", "203.0.113.9", proxies},
		{"loopback is not trusted unasked", "127.0.0.1:1", "203.0.113.9", "127.0.0.1", proxies},
		{"nonsense", "10.0.0.1:1", "203.0.113.9, nonsense", "10.0.0.1", proxies},
	} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.RemoteAddr = c.remote
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := clientAddress(c.proxies)(r); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestNetworkOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"198.51.100.1", "198.51.100.1"},
		{"::ffff:198.51.100.1", "198.51.100.1"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
		{"fe80::1%eth0", "fe80::/64"},
		{"64:ff9b::198.51.100.1", "198.51.100.1"},
		{"64:ff9b:0:0:1::1", "64:ff9b::/64"},
		{"@", "unknown"},
	} {
		if got := networkOf(c.in); got != c.want {
			t.Errorf("networkOf(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}
