// Package redistest gives each test a Redis of its own, that it may kill. It
// owns the process and its clock, and knows nothing of who uses it.
package redistest

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// patience is how long a server may take to start.
const patience = 30 * time.Second

// Server is one redis-server, which keeps everything in memory.
type Server struct {
	// URL is its address, the same after each start.
	URL string

	socket string
	log    string
	cmd    *exec.Cmd // nil: it does not run
	leash  io.Closer
}

// New starts a server that vanishes with the test.
func New(t testing.TB) *Server {
	t.Helper()
	// The name of a test is too long for that of a socket.
	dir, err := os.MkdirTemp("", "redis")
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "socket")
	s := &Server{URL: "unix://" + socket, socket: socket, log: filepath.Join(dir, "log")}
	t.Cleanup(func() {
		if s.cmd != nil {
			s.Kill(t)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	s.Start(t)
	return s
}

// leashed ends the server when its standard input does, so that none outlives
// a test program, however that ends.
const leashed = `redis-server "$@" & cat; kill -9 $!; wait`

// Start starts the server anew, with nothing in it.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Fatal("redis-server is not installed: run the tests with `make test`, or install the package `redis-server` (Debian, Ubuntu) or `redis`")
	}
	s.cmd = exec.Command("sh", "-c", leashed, "sh", "--port", "0", "--unixsocket", s.socket,
		"--save", "", "--appendonly", "no", "--logfile", s.log)
	leash, err := s.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.leash = leash
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.awaitReady(t)
}

func (s *Server) awaitReady(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		conn, err := net.Dial("unix", s.socket)
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(s.log)
			t.Fatalf("redis-server does not start: %v\n%s", err, log)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// Kill ends the server at once, as a crash would.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	if err := errors.Join(s.leash.Close(), s.cmd.Wait()); err != nil {
		t.Errorf("redis-server does not end as it should: %v", err)
	}
	s.cmd = nil
}

// Hang has the server answer nobody, until it is killed.
func (s *Server) Hang(t testing.TB) {
	t.Helper()
	s.do(t, "CLIENT", "PAUSE", "600000", "ALL")
}

// earlier moves what redis_rate has stored: the time at which a key has room
// for its whole burst again, in seconds, and when that is forgotten.
const earlier = `
for _, key in ipairs(redis.call("KEYS", "rate:*")) do
	local left = redis.call("PTTL", key) - ARGV[1] * 1000
	if left <= 0 then
		redis.call("DEL", key)
	else
		redis.call("SET", key, redis.call("GET", key) - ARGV[1], "PX", math.ceil(left))
	end
end`

// Advance moves the clock of the rates forward by d. Redis's clock is that of
// the machine, so it moves the stored times back: the algorithm reads nothing
// but their distance from now.
func (s *Server) Advance(t testing.TB, d time.Duration) {
	t.Helper()
	s.do(t, "EVAL", earlier, 0, d.Seconds())
}

func (s *Server) do(t testing.TB, command ...any) {
	t.Helper()
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: s.socket})
	defer client.Close()
	if err := client.Do(context.Background(), command...).Err(); err != nil && !errors.Is(err, redis.Nil) {
		t.Fatal(err)
	}
}
