package garmintest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
)

// network is how a Server is reached: an HTTPS listener on the loopback interface, perhaps a proxy before it, and the
// listeners of its pages.
type network struct {
	mu      sync.Mutex
	started bool
	closed  bool
	ca      *authority
	addr    string
	servers []*http.Server
	tunnels map[net.Conn]struct{}
	running sync.WaitGroup
}

var errClosed = errors.New("garmintest: server is closed")

// Start listens on a free port of the loopback interface; Transport and ListenProxy do it on their own. It panics if
// that fails.
func (s *Server) Start() {
	if err := s.start(); err != nil {
		panic(err)
	}
}

func (s *Server) start() error {
	s.init()
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	switch {
	case s.net.closed:
		return errClosed
	case s.net.started:
		return nil
	}
	ca, err := newAuthority()
	if err != nil {
		return fmt.Errorf("garmintest: %w", err)
	}
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{ca.leaf}, MinVersion: tls.VersionTLS12})
	if err != nil {
		return fmt.Errorf("garmintest: %w", err)
	}
	s.net.ca, s.net.addr, s.net.started = ca, ln.Addr().String(), true
	s.net.tunnels = map[net.Conn]struct{}{}
	s.net.serve(ln, s)
	return nil
}

// listen answers on addr in plain HTTP until Close.
func (s *Server) listen(addr string, h http.Handler) (origin string, err error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("garmintest: %w", err)
	}
	s.net.mu.Lock()
	defer s.net.mu.Unlock()
	if s.net.closed {
		_ = ln.Close()
		return "", errClosed
	}
	s.net.serve(ln, h)
	return "http://" + ln.Addr().String(), nil
}

// serve answers on a listener until Close. Callers hold n.mu.
func (n *network) serve(ln net.Listener, h http.Handler) {
	watched := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.enter() {
			defer n.running.Done()
			h.ServeHTTP(w, r)
		}
	})
	srv := &http.Server{Handler: watched, ErrorLog: log.New(io.Discard, "", 0)}
	n.servers = append(n.servers, srv)
	n.running.Go(func() { _ = srv.Serve(ln) })
}

// enter lets a request in unless Close has begun; it counts among what Close waits for.
func (n *network) enter() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return false
	}
	n.running.Add(1)
	return true
}

// Close ends the server, what is under way included, and waits for its goroutines.
func (s *Server) Close() {
	s.net.mu.Lock()
	s.net.closed = true
	for _, srv := range s.net.servers {
		_ = srv.Close()
	}
	for conn := range s.net.tunnels {
		_ = conn.Close()
	}
	s.net.mu.Unlock()
	s.net.running.Wait()
}

// Transport reaches the server for all of Garmin's hosts, and nothing else. Each request has a connection of its
// own, so that net/http never repeats one by itself after a fault; TLS resumes, and takes a cheap curve, for speed.
func (s *Server) Transport() http.RoundTripper {
	s.Start()
	return &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{
			RootCAs: s.net.ca.pool(), MinVersion: tls.VersionTLS12,
			ClientSessionCache: tls.NewLRUClientSessionCache(0), CurvePreferences: []tls.CurveID{tls.X25519},
		},
		DialContext: func(ctx context.Context, proto, addr string) (net.Conn, error) {
			if !allowed(addr) {
				return nil, fmt.Errorf("garmintest: %s is not a host of Garmin's", addr)
			}
			var d net.Dialer
			return d.DialContext(ctx, proto, s.net.addr)
		},
	}
}

// allowed reports that an address names one of Garmin's hosts, on the port for HTTPS.
func allowed(addr string) bool {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || port != "443" {
		return false
	}
	_, _, ok := splitHost(host)
	return ok
}
