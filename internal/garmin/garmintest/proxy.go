package garmintest

import (
	"io"
	"net"
	"net/http"
	"sync"
)

// ListenProxy lets other processes reach the server: it listens on addr as an HTTPS proxy that opens tunnels to
// Garmin's hosts, all of which end here, and refuses every other with 403. Those processes run with HTTPS_PROXY set
// to the URL and SSL_CERT_FILE to a file with the certificate.
func (s *Server) ListenProxy(addr string) (proxyURL string, caPEM []byte, err error) {
	if err := s.start(); err != nil {
		return "", nil, err
	}
	if proxyURL, err = s.listen(addr, http.HandlerFunc(s.net.tunnel)); err != nil {
		return "", nil, err
	}
	return proxyURL, s.net.ca.pem(), nil
}

// tunnel answers CONNECT.
func (n *network) tunnel(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect || !allowed(r.Host) {
		http.Error(w, "only tunnels to Garmin's hosts", http.StatusForbidden)
		return
	}
	server, err := net.Dial("tcp", n.addr)
	if err != nil {
		http.Error(w, "the simulated Garmin is gone", http.StatusBadGateway)
		return
	}
	client, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		_ = server.Close()
		return
	}
	n.watch(client, server)
	defer n.forget(client, server)
	_, _ = io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n")
	pipe(client, buffered, server)
}

// watch notes connections for Close, which no longer knows of them once they are hijacked.
func (n *network) watch(conns ...net.Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range conns {
		n.tunnels[c] = struct{}{}
		if n.closed {
			_ = c.Close()
		}
	}
}

func (n *network) forget(conns ...net.Conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range conns {
		delete(n.tunnels, c)
		_ = c.Close()
	}
}

// pipe copies both ways until either side ends.
func pipe(client net.Conn, fromClient io.Reader, server net.Conn) {
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(server, fromClient); _ = server.Close() })
	both.Go(func() { _, _ = io.Copy(client, server); _ = client.Close() })
	both.Wait()
}
