package garmintest

import (
	"fmt"
	"net/http"
	"strings"
)

// ListenPages lets a browser without any proxy reach the sign-in pages of a region: it listens on addr in plain HTTP
// and returns the origin that stands for https://sso.<region>. Queries go on naming the real addresses, which is what
// the pages expect; neither a redirect nor a script leads to Garmin. Where the real journey ends at an address with the
// ticket, the last page shows that address. Use a loopback address: passwords and tickets pass in the clear.
func (s *Server) ListenPages(region, addr string) (origin string, err error) {
	if region != Global && region != China {
		return "", fmt.Errorf("garmintest: unknown region %q", region)
	}
	s.init()
	return s.listen(addr, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := &pageWriter{ResponseWriter: w, region: region}
		s.serve(p, ask{Request: p.translate(r), local: true})
	}))
}

// pageWriter is what a browser that came by ListenPages is answered through: all that would lead it to Garmin's host,
// or that it keeps for HTTPS only, it gets in a form that fits the origin where it is.
type pageWriter struct {
	http.ResponseWriter

	region string
	begun  bool
}

func (w *pageWriter) host() string { return "sso." + w.region }

// mark begins the names of cookies. Browsers tell them apart by host and not by port, so that the two regions, and
// garminlink beside them, would take each other's.
func (w *pageWriter) mark() string { return w.region + "-" }

// translate makes a browser's request one for Garmin's host.
func (w *pageWriter) translate(r *http.Request) *http.Request {
	out := r.Clone(r.Context())
	out.Host = w.host()
	out.Header.Del("Cookie")
	for _, c := range r.Cookies() {
		if name, ours := strings.CutPrefix(c.Name, w.mark()); ours {
			out.AddCookie(&http.Cookie{Name: name, Value: c.Value})
		}
	}
	return out
}

func (w *pageWriter) WriteHeader(status int) {
	if !w.begun {
		w.begun = true
		w.translateLocation()
		w.translateCookies()
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *pageWriter) translateLocation() {
	if rest, ok := strings.CutPrefix(w.Header().Get("Location"), "https://"+w.host()+"/"); ok {
		w.Header().Set("Location", "/"+rest)
	}
}

// translateCookies also serves a frame: a page on another port of the same host is of the same site, and Lax enough.
func (w *pageWriter) translateCookies() {
	lines := w.Header().Values("Set-Cookie")
	w.Header().Del("Set-Cookie")
	for _, line := range lines {
		c, err := http.ParseSetCookie(line)
		if err != nil {
			continue // no browser would keep it either
		}
		c.Name, c.Domain, c.Secure, c.SameSite = w.mark()+c.Name, "", false, http.SameSiteLaxMode
		http.SetCookie(w, c)
	}
}

func (w *pageWriter) Write(b []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets faults flush and break connections.
func (w *pageWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
