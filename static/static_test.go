package static

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func get(t *testing.T, method, path, encoding string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Accept-Encoding", encoding)
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

func TestEveryFileIsServedForEver(t *testing.T) {
	t.Parallel()
	for name, a := range assets().byName {
		res := get(t, http.MethodGet, Path(name), "")
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK || !bytes.Equal(body, a.plain) {
			t.Errorf("%s: %d, %d bytes, %v", name, res.StatusCode, len(body), err)
		}
		if got := res.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("%s: Cache-Control %q", name, got)
		}
		if res.Header.Get("Content-Type") == "" || len(body) == 0 {
			t.Errorf("%s is empty or has no type", name)
		}
	}
}

func TestCompressedForWhoeverTakesIt(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"": "", "gzip": "gzip", "br, gzip;q=0.8": "gzip", "GZIP": "gzip", "gzip; q=0": "", "deflate": "", "gzip;q=x": "",
	} {
		res := get(t, http.MethodGet, Path("app.css"), header)
		if got := res.Header.Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q is answered in %q, want %q", header, got, want)
		}
		if res.Header.Get("Vary") != "Accept-Encoding" {
			t.Error("a cache may mix the encodings up")
		}
	}
	zipped, err := gzip.NewReader(get(t, http.MethodGet, Path("app.css"), "gzip").Body)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(zipped); err != nil || !bytes.Equal(body, assets().byName["app.css"].plain) {
		t.Errorf("unzipped to %d other bytes, %v", len(body), err)
	}
}

func TestOnlyHashedNamesAreFound(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/static/", "/static/app.css", "/static/app.000000000000.css", "/static/../static.go", "/static/htmx.LICENSE"} {
		res := get(t, http.MethodGet, path, "")
		if res.StatusCode != http.StatusNotFound || res.Header.Get("Cache-Control") != "" {
			t.Errorf("%s answers %d, Cache-Control %q", path, res.StatusCode, res.Header.Get("Cache-Control"))
		}
	}
}

func TestOnlyReading(t *testing.T) {
	t.Parallel()
	if res := get(t, http.MethodPost, Path("app.css"), ""); res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") == "" {
		t.Errorf("POST answers %d", res.StatusCode)
	}
	res := get(t, http.MethodHead, Path("app.css"), "")
	if body, _ := io.ReadAll(res.Body); len(body) != 0 || res.Header.Get("Content-Length") == "0" {
		t.Errorf("HEAD answers %d bytes, Content-Length %s", len(body), res.Header.Get("Content-Length"))
	}
}

func TestNameFollowsContent(t *testing.T) {
	t.Parallel()
	path := func(content string) string {
		return load(fstest.MapFS{"a.b.js": {Data: []byte(content)}}, nil).byName["a.b.js"].path
	}
	if path("1") == path("2") {
		t.Errorf("two files are both %s", path("1"))
	}
	if p := path("1"); !strings.HasPrefix(p, "/static/a.b.") || !strings.HasSuffix(p, ".js") {
		t.Errorf("path is %s", p)
	}
}

func TestUnknownNamePanics(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	Path("nope.css")
}
