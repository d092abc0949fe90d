package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/limit"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// cable is a TCP connection to a database that a test can cut.
type cable struct {
	listener net.Listener
	server   *pgx.ConnConfig
	mu       sync.Mutex
	open     []net.Conn
	wires    sync.WaitGroup
}

// layCable has what the database answers carried by carry.
func layCable(t *testing.T, db *pgtest.DB, carry func(io.Writer, io.Reader) (int64, error)) *cable {
	t.Helper()
	server, err := pgx.ParseConfig(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{listener: listener, server: server}
	c.wires.Go(func() { c.serve(carry) })
	t.Cleanup(c.cut)
	return c
}

func (c *cable) serve(carry func(io.Writer, io.Reader) (int64, error)) {
	for {
		near, err := c.listener.Accept()
		if err != nil {
			return
		}
		network, address := addressOf(c.server)
		far, err := net.Dial(network, address)
		if err != nil {
			_ = near.Close()
			continue
		}
		c.mu.Lock()
		c.open = append(c.open, near, far)
		c.mu.Unlock()
		c.wires.Go(func() { _, _ = carry(near, far); _ = near.Close() })
		c.wires.Go(func() { _, _ = io.Copy(far, near); _ = far.Close() })
	}
}

func addressOf(c *pgx.ConnConfig) (network, address string) {
	if strings.HasPrefix(c.Host, "/") {
		return "unix", fmt.Sprintf("%s/.s.PGSQL.%d", c.Host, c.Port)
	}
	return "tcp", net.JoinHostPort(c.Host, fmt.Sprint(c.Port))
}

func (c *cable) url() string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(c.server.User, c.server.Password),
		Host: c.listener.Addr().String(), Path: c.server.Database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// laid counts the connections that there were.
func (c *cable) laid() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open) / 2
}

func (c *cable) cut() {
	_ = c.listener.Close()
	c.mu.Lock()
	for _, conn := range c.open {
		_ = conn.Close()
	}
	c.mu.Unlock()
	c.wires.Wait()
}

// An outage must be told from an answer: the one is tried again and is nobody's
// fault, the other is not and may be.
func TestOutagesAreNamed(t *testing.T) {
	t.Parallel()
	cable := layCable(t, pgtest.New(t), io.Copy)
	db, err := postgres.Open(t.Context(), cable.url(), pgtest.Schema, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	links, accounts, limits := postgres.NewLinks(db), postgres.NewAccounts(db), postgres.NewLimits(db.Gorm)
	calls := map[string]func(context.Context) error{
		"Record": func(ctx context.Context) error { _, err := links.Record(ctx, uuid.New()); return err },
		"Update": func(ctx context.Context) error {
			return links.Update(ctx, link.Act{User: uuid.New()}, func(*link.Record) error { return nil })
		},
		"UserByEmail": func(ctx context.Context) error {
			_, _, err := accounts.UserByEmail(ctx, "a@example.com")
			return err
		},
		"Authenticate": func(ctx context.Context) error {
			_, err := accounts.Authenticate(ctx, uuid.New(), time.Hour, true)
			return err
		},
		"Take": func(ctx context.Context) error {
			_, err := limits.Take(ctx, "key", limit.Rate{Burst: 1, Per: time.Second})
			return err
		},
		"Cooling": func(ctx context.Context) error { _, err := limits.Cooling(ctx, "key"); return err },
	}
	for name, call := range calls {
		if err := call(t.Context()); errors.Is(err, link.ErrStoreDown) {
			t.Errorf("%s, while the database answers: %v", name, err)
		}
	}
	cable.cut()
	for name, call := range calls {
		if err := call(t.Context()); !errors.Is(err, link.ErrStoreDown) {
			t.Errorf("%s, with the cable cut: %v", name, err)
		}
	}
}
