package link

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

const maxReturnURL = 2048 // bytes

// ReturnURLs are the addresses to which users may be sent back: origins, or
// what is below a path. The zero value allows none.
type ReturnURLs []url.URL

// ParseReturnURLs reads addresses with commas between, such as
// https://app.example.com,https://example.org/garmin.
func ParseReturnURLs(text string) (ReturnURLs, error) {
	var all ReturnURLs
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		u, err := parseReturnURL(part)
		if err == nil && u.RawQuery != "" {
			err = errors.New("a query cannot be a part of it")
		}
		if err != nil {
			return nil, fmt.Errorf("%q: %w", part, err)
		}
		all = append(all, *u)
	}
	return all, nil
}

// parseReturnURL refuses every address that a browser may read in another way.
func parseReturnURL(text string) (*url.URL, error) {
	odd := func(r rune) bool { return r <= ' ' || r > '~' || r == '\\' } // a backslash is a slash to browsers
	if len(text) > maxReturnURL || strings.ContainsFunc(text, odd) {
		return nil, fmt.Errorf("it has more than %d bytes, or such as do not stand in addresses", maxReturnURL)
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("it is no address")
	case u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.Opaque != "":
		return nil, errors.New("it is not of the form https://host/path")
	case strings.HasSuffix(u.Host, ":"):
		return nil, errors.New("its port is empty")
	case u.User != nil || strings.Contains(text, "#"):
		return nil, errors.New("it has a user or a fragment")
	case slices.ContainsFunc(strings.Split(u.Path, "/"), func(s string) bool { return s == "." || s == ".." }):
		return nil, errors.New("it has dots for folders")
	}
	return u, nil
}

// ours are the parameters that we add.
var ours = []string{"state", "code", "error"}

func (r ReturnURLs) check(text string) error {
	u, err := parseReturnURL(text)
	if err != nil {
		return err
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil || slices.ContainsFunc(ours, query.Has) {
		return fmt.Errorf("its query is broken, or holds one of %s", strings.Join(ours, ", "))
	}
	if !slices.ContainsFunc(r, func(allowed url.URL) bool { return within(allowed, u) }) {
		return errors.New("it is none of those that GARMINLINK_RETURN_URLS allows")
	}
	return nil
}

// within compares paths as they are written: an escaped slash is no boundary.
func within(allowed url.URL, u *url.URL) bool {
	path, prefix := u.EscapedPath(), strings.TrimSuffix(allowed.EscapedPath(), "/")
	return u.Scheme == allowed.Scheme && origin(u) == origin(&allowed) &&
		(path == prefix || strings.HasPrefix(path, prefix+"/"))
}

// origin is scheme, host and port; a default port may be written or not.
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}

// ReturnOrigin is the scheme, host and port to which the user goes back, as an
// address; "" if that is our own.
func (c *ConnectSession) ReturnOrigin() string {
	u, err := url.Parse(c.ReturnURL)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// back is the address to which the user goes back, with one more parameter
// beside the state; "" if that is our own.
func (c *ConnectSession) back(key, value string) Secret {
	if c.ReturnURL == "" {
		return ""
	}
	more := url.Values{"state": {c.State}, key: {value}}.Encode()
	base, query, has := strings.Cut(c.ReturnURL, "?")
	if has && query != "" {
		more = query + "&" + more
	}
	return Secret(base + "?" + more)
}
