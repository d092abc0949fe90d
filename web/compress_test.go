package web_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/garminlink/garminlink/static"
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

// Whoever opens a file as if it were a page gets what pages get: it is kept.
func TestFilesAreCompressedOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	b.header.Set("Accept", "text/html")
	b.header.Set("Accept-Encoding", "gzip")
	b.header.Set("Sec-Fetch-Site", "none")
	p := b.get(static.Path("app.js")).want(http.StatusOK)
	file, err := gzip.NewReader(strings.NewReader(p.source))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(file); err != nil || !strings.HasPrefix(string(text), "// What the pages do") {
		t.Errorf("once unpacked it begins with % x, %v", text[:4], err)
	}
}
