package web_test

import (
	"net/http"
	"testing"
)

func TestPagesAreCompressedButForOtherSites(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for site, want := range map[string]string{"same-origin": "gzip", "none": "gzip", "cross-site": "", "same-site": "", "": ""} {
		b := s.browser()
		b.header.Set("Accept", "text/html")
		b.header.Set("Accept-Encoding", "gzip")
		b.header.Set("Sec-Fetch-Site", site)
		p := b.get("/signin").want(http.StatusOK)
		if got := p.Header.Get("Content-Encoding"); got != want {
			t.Errorf("asked for by %q, the page is encoded as %q, want %q", site, got, want)
		}
	}
}
