package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/garminlink/garminlink/web"
)

// The API counts for a network, and the log names it.
func TestProgramsAreLoggedByTheirNetwork(t *testing.T) {
	t.Parallel()
	var counted string
	s := newSite(t, func(c *web.Config) {
		c.API = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { counted = r.RemoteAddr })
	})
	for from, network := range map[string]string{
		"198.51.100.7:4711": "198.51.100.7", "[2001:db8:1:2::7]:4711": "2001:db8:1:2::/64",
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/links", nil)
		r.RemoteAddr = from
		s.web.ServeHTTP(httptest.NewRecorder(), r)
		if counted != network || !strings.Contains(s.log.String(), "client="+network) {
			t.Errorf("%s counts for %s, in\n%s", network, counted, s.log)
		}
	}
}
