package garmin

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	maxCookies     = 64
	maxCookieBytes = 4096
)

// jar holds the cookies of one login, so that they can be stored and another process can finish it. It knows Garmin's
// two domains only. The Secure attribute is not kept: nothing is ever asked without TLS.
type jar struct {
	region  Region
	now     func() time.Time
	cookies []cookie
}

type cookie struct {
	Name     string    `json:"name"`
	Value    string    `json:"value"`
	Quoted   bool      `json:"quoted,omitzero"`
	Domain   string    `json:"domain"`
	HostOnly bool      `json:"host_only,omitzero"`
	Path     string    `json:"path"`
	Expires  time.Time `json:"expires,omitzero"` // zero: lives as long as the login
}

// SetCookies keeps what an answer from u sets.
func (j *jar) SetCookies(u *url.URL, set []*http.Cookie) {
	for _, in := range set {
		c, ok := j.accept(u, in)
		if !ok {
			continue
		}
		j.cookies = slices.DeleteFunc(j.cookies, func(old cookie) bool {
			return old.Name == c.Name && old.Domain == c.Domain && old.Path == c.Path
		})
		if (c.Expires.IsZero() || c.Expires.After(j.now())) && len(j.cookies) < maxCookies {
			j.cookies = append(j.cookies, c)
		}
	}
}

// Cookies returns what belongs to a request for u, longer paths first (RFC 6265, 5.4).
func (j *jar) Cookies(u *url.URL) []*http.Cookie {
	var fit []cookie
	for _, c := range j.cookies {
		if c.covers(u) && (c.Expires.IsZero() || c.Expires.After(j.now())) {
			fit = append(fit, c)
		}
	}
	slices.SortStableFunc(fit, func(a, b cookie) int { return cmp.Compare(len(b.Path), len(a.Path)) })
	out := make([]*http.Cookie, 0, len(fit))
	for _, c := range fit {
		out = append(out, &http.Cookie{Name: c.Name, Value: c.Value, Quoted: c.Quoted})
	}
	return out
}

func (j *jar) accept(u *url.URL, in *http.Cookie) (cookie, bool) {
	if in.Name == "" || len(in.Name)+len(in.Value) > maxCookieBytes {
		return cookie{}, false
	}
	c := cookie{Name: in.Name, Value: in.Value, Quoted: in.Quoted, Path: in.Path, Expires: in.Expires}
	c.Domain = strings.TrimPrefix(strings.ToLower(in.Domain), ".")
	if c.Domain == "" {
		c.Domain, c.HostOnly = u.Hostname(), true
	}
	if !strings.HasPrefix(c.Path, "/") {
		c.Path = defaultPath(u.Path)
	}
	switch {
	case in.MaxAge < 0:
		c.Expires = time.Unix(1, 0)
	case in.MaxAge > 0:
		c.Expires = j.now().Add(time.Duration(min(in.MaxAge, 365*24*3600)) * time.Second)
	}
	return c, under(u.Hostname(), c.Domain) && under(c.Domain, string(j.region))
}

func (c cookie) covers(u *url.URL) bool {
	if c.HostOnly && c.Domain != u.Hostname() || !under(u.Hostname(), c.Domain) {
		return false
	}
	path := cmp.Or(u.Path, "/")
	rest, ok := strings.CutPrefix(path, c.Path)
	return ok && (rest == "" || strings.HasSuffix(c.Path, "/") || rest[0] == '/')
}

// under reports that host is domain or a name below it.
func under(host, domain string) bool { return host == domain || strings.HasSuffix(host, "."+domain) }

// defaultPath is the folder of a path (RFC 6265, 5.1.4).
func defaultPath(path string) string {
	if i := strings.LastIndexByte(path, '/'); i > 0 {
		return path[:i]
	}
	return "/"
}
