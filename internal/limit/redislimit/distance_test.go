package redislimit_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/limit/redislimit"
	"github.com/garminlink/garminlink/internal/limit/redistest"
)

// distant returns an address at which a server is reached by TLS, whose
// handshake takes so long.
func distant(t *testing.T, server *redistest.Server, handshake time.Duration) (url string) {
	t.Helper()
	certified := httptest.NewTLSServer(nil)
	certified.Close()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: certified.TLS.Certificates,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			<-time.After(handshake)
			return nil, nil // the listener's own
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var relays sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); relays.Wait() })
	relays.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("unix", strings.TrimPrefix(server.URL, "unix://"))
			if err != nil {
				t.Error(err)
				return
			}
			for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
				relays.Go(func() { _, _ = io.Copy(way[0], way[1]); _ = way[0].Close() })
			}
		}
	})
	return "rediss://" + l.Addr().String() + "?skip_verify=true"
}

// Who waits does so for an answer, and not for a connection to be made, which
// would never be.
func TestConnectionsMayTakeLongerThanAnswers(t *testing.T) {
	t.Parallel()
	var at redislimit.Address
	if err := at.UnmarshalText([]byte(distant(t, redistest.New(t), 1500*time.Millisecond))); err != nil {
		t.Fatal(err)
	}
	rates := redislimit.Open(at, "here", time.Second)
	defer rates.Close()
	for deadline := time.Now().Add(patient); ; {
		_, err := rates.Take(t.Context(), "a", fivePerMinute)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}
