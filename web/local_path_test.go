package web

import (
	"net/url"
	"testing"
)

func TestLocalPath(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"/link/mfa", "/link/mfa"},
		{"/link?a=b%2Fc", "/link?a=b%2Fc"},
		{"/link#part", "/link"},
		{"/", "/"},
		{"/.//evil.example", "/.//evil.example"}, // a path, to browsers too

		{"", ""},
		{"link", ""},
		{"https://evil.example/", ""},
		{"//evil.example/", ""},
		{"///evil.example/", ""},
		{`/\evil.example/`, ""},
		{`\\evil.example/`, ""},
		{"/\t/evil.example/", ""},
		{"\n//evil.example/", ""},
		{" //evil.example/", ""},
		{"/link\r\nSet-Cookie: a=b", ""},
		{"javascript:alert(1)", ""},
		{"/%zz", ""},
	} {
		if got := localPath(c.in); got != c.want {
			t.Errorf("localPath(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func FuzzLocalPath(f *testing.F) {
	f.Add("/link?a=b")
	f.Add(`/\evil.example`)
	f.Fuzz(func(t *testing.T, s string) {
		path := localPath(s)
		if path == "" {
			return
		}
		here, _ := url.Parse("https://link.example/signin")
		to, err := here.Parse(path)
		if err != nil || to.Host != here.Host || to.Scheme != here.Scheme || localPath(path) != path {
			t.Errorf("localPath(%q) = %q leads to %v (%v)", s, path, to, err)
		}
	})
}
