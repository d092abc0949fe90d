package link_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/jackc/pgx/v5"
)

var cutTime = flag.Duration("link.cut", 3*time.Second, "how long the database is cut off from a replica")

// cable is one replica's connection to the database, which a test cuts and
// mends.
type cable struct {
	listener net.Listener
	server   *pgx.ConnConfig
	wires    sync.WaitGroup

	mu     sync.Mutex
	broken bool
	breaks string // what the server says last; "": it breaks by itself never
	ends   map[net.Conn]struct{}
}

func layCable(t *testing.T, address string) *cable {
	t.Helper()
	server, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{listener: listener, server: server, ends: map[net.Conn]struct{}{}}
	c.wires.Go(c.serve)
	t.Cleanup(func() {
		_ = listener.Close()
		c.cut()
		c.wires.Wait()
	})
	return c
}

func (c *cable) url() string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(c.server.User, c.server.Password),
		Host: c.listener.Addr().String(), Path: c.server.Database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

func (c *cable) serve() {
	for {
		near, err := c.listener.Accept()
		if err != nil {
			return
		}
		far, err := c.dial()
		if err != nil || !c.hold(near, far) {
			_ = near.Close()
			continue
		}
		c.wires.Go(func() { _, _ = io.Copy(far, near); _ = far.Close() })
		c.wires.Go(func() { c.listen(near, far); _ = near.Close() })
	}
}

func (c *cable) dial() (net.Conn, error) {
	if strings.HasPrefix(c.server.Host, "/") {
		return net.Dial("unix", fmt.Sprintf("%s/.s.PGSQL.%d", c.server.Host, c.server.Port))
	}
	return net.Dial("tcp", net.JoinHostPort(c.server.Host, fmt.Sprint(c.server.Port)))
}

// hold notes a new connection, unless the cable is cut.
func (c *cable) hold(near, far net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken {
		_ = far.Close()
		return false
	}
	c.ends[near], c.ends[far] = struct{}{}, struct{}{}
	return true
}

// listen passes on what the server says, up to the word at which the cable
// breaks.
func (c *cable) listen(near, far net.Conn) {
	words := make([]byte, 32<<10)
	for {
		n, err := far.Read(words)
		if err != nil {
			return
		}
		c.mu.Lock()
		last := c.breaks != "" && bytes.Contains(words[:n], []byte(c.breaks))
		c.mu.Unlock()
		if last {
			c.cut()
			return
		}
		if _, err := near.Write(words[:n]); err != nil {
			return
		}
	}
}

func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broken, c.breaks = true, ""
	for end := range c.ends {
		_ = end.Close()
	}
	clear(c.ends)
}

func (c *cable) breakAt(word string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.breaks = word
}

func (c *cable) mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broken = false
}

// remote is a replica that asks for a refresh over a cable of its own.
type remote struct {
	*world
	cable  *cable
	former int64         // generation of the session that has run out
	sorrow chan struct{} // a line of the log: the new session is not saved yet
	result chan error
}

// Write implements io.Writer.
func (r *remote) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("what Garmin granted is not saved yet")) {
		r.sorrow <- struct{}{}
	}
	return len(line), nil
}

// awaitTry waits until it was tried in vain to save the new session.
func (r *remote) awaitTry() {
	r.t.Helper()
	select {
	case <-r.sorrow:
	case err := <-r.result:
		r.t.Fatalf("it ended without the database: %v", err)
	case <-time.After(20 * time.Second):
		r.t.Fatal("nobody tries to save the session")
	}
}

// refreshOverCable returns while Garmin holds its answer to the refresh.
func (w *world) refreshOverCable() (r *remote, release func()) {
	w.t.Helper()
	w.start("plain")
	w.advance(25 * time.Hour)
	r = &remote{
		world: w, cable: layCable(w.t.(*testing.T), w.db.URL), former: w.generation(),
		sorrow: make(chan struct{}, 100), result: make(chan error, 1),
	}
	db := w.connect(r.cable.url())
	s := w.serviceOn(db, postgres.NewLinks(db), slog.New(slog.NewTextHandler(r, nil)))
	release = w.garmin.Hold(garmintest.OpRefresh)
	go func() {
		_, err := s.Validate(context.Background(), w.act())
		r.result <- err
	}()
	w.awaitCalls(garmintest.OpRefresh, 1)
	return r, release
}

// wantKept sees that the new session is there, works, and was the only one.
func (r *remote) wantKept(refreshes int) {
	r.t.Helper()
	if err := <-r.result; err != nil {
		r.t.Error(err)
	}
	if _, err := r.validate(); err != nil {
		r.t.Error(err)
	}
	if n := r.garmin.Calls(garmintest.OpRefresh); n != refreshes {
		r.t.Errorf("Garmin was asked for %d refreshes, want %d", n, refreshes)
	}
	if r.generation() <= r.former {
		r.t.Error("the generation has not moved")
	}
	if n := one[int](r.world, "SELECT count(*) FROM garmin_authentication_states WHERE lease_owner IS NOT NULL OR intent_generation IS NOT NULL"); n != 0 {
		r.t.Error("a lease or an intent stands")
	}
	r.wantEvents("login_done: not_linked -> active")
}

func TestSessionIsSavedWhenTheDatabaseIsBack(t *testing.T) {
	t.Parallel()
	r, release := newWorld(t).refreshOverCable()
	r.cable.cut()
	cut := time.Now()
	release()
	for time.Since(cut) < *cutTime { // each try to save it is a line
		r.awaitTry()
	}
	if r.generation() != r.former {
		t.Error("it was saved without a database")
	}
	r.cable.mend()
	r.wantKept(1)
	t.Logf("saved %s after the cut", time.Since(cut).Round(time.Millisecond))
}

// The commit took effect, and the one who asked for it cannot know.
func TestAnswerToTheCommitIsLost(t *testing.T) {
	t.Parallel()
	r, release := newWorld(t).refreshOverCable()
	r.cable.breakAt("COMMIT")
	release()
	r.awaitTry()
	if r.generation() <= r.former {
		t.Error("the cable broke before the commit")
	}
	r.cable.mend()
	r.wantKept(1)
}

// A replica that is cut off for longer than its lease still holds the only
// session that works: the others' refusals must not end the link meanwhile.
func TestOthersDoNotGiveUpWhatACutOffReplicaHolds(t *testing.T) {
	t.Parallel()
	r, release := newWorld(t).refreshOverCable()
	r.cable.cut()
	release()
	r.awaitTry()
	r.advance(66 * time.Second)
	_, err := r.validate()
	wantKind(t, err, link.Unavailable)
	r.wantState("active")
	r.cable.mend()
	r.wantKept(2)
}
