package postgres_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// hearing is what runs changes until it is stopped, or its test ends.
type hearing struct {
	t *testing.T
	*postgres.Changes
	users map[uuid.UUID]<-chan struct{}
	stop  func()
}

// hear subscribes users and then runs.
func hear(t *testing.T, db *postgres.DB, log io.Writer, users ...uuid.UUID) hearing {
	t.Helper()
	changes := postgres.NewChanges(db.Pool, slog.New(slog.NewTextHandler(log, nil)))
	h := hearing{t: t, Changes: changes, users: map[uuid.UUID]<-chan struct{}{}}
	for _, user := range users {
		h.users[user] = h.Subscribe(t.Context(), user)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { h.Run(ctx) })
	h.stop = func() { cancel(); running.Wait() }
	t.Cleanup(h.stop)
	return h
}

// woken waits until all of these users were.
func (h hearing) woken(users ...uuid.UUID) {
	h.t.Helper()
	for _, user := range users {
		select {
		case <-h.users[user]:
		case <-time.After(patience):
			h.t.Fatal("one was not woken")
		}
	}
}

func (h hearing) asleep(user uuid.UUID) {
	h.t.Helper()
	select {
	case <-h.users[user]:
		h.t.Error("one was woken")
	default:
	}
}

// change writes a line of a link's history.
func change(t *testing.T, db *pgtest.DB, user uuid.UUID) {
	t.Helper()
	err := postgres.NewLinks(db.DB).Update(t.Context(), link.Act{User: user, By: link.ByUser, RequestID: "req"}, func(r *link.Record) error {
		r.Entries = append(r.Entries, link.Entry{Event: link.Exported, From: r.State, To: r.State})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestChangeWakesItsUserOnce(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	one, other := addUser(t, db), addUser(t, db)
	h := hear(t, db.DB, io.Discard, one, other, uuid.Nil)
	h.woken(one, other, uuid.Nil) // as it begins to hear
	for range 3 {
		change(t, db, one)
	}
	h.woken(uuid.Nil) // who hears of anybody
	h.asleep(other)
	change(t, db, other)
	h.woken(other) // after all of the one's, as they come in order
	h.woken(one)
	h.asleep(one)
}

func TestNobodyIsWokenAfterHisEnd(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	user, other := addUser(t, db), addUser(t, db)
	h := hear(t, db.DB, io.Discard, other)
	h.woken(other)
	ctx, leave := context.WithCancel(t.Context())
	gone := h.Subscribe(ctx, user)
	leave()
	await(t, "the one who left is forgotten", func() bool {
		change(t, db, user)
		change(t, db, other)
		h.woken(other) // after whoever the first change woke
		select {
		case <-gone:
			return false
		default:
			return true
		}
	})
}

func await(t *testing.T, what string, happened func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !happened() {
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatal("it never happens that " + what)
		}
	}
}

const listeners = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`

func count(t *testing.T, db *pgtest.DB, query string) (n int) {
	t.Helper()
	if err := db.Pool.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestEverybodyIsWokenWhenALostConnectionIsBack(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	one, other := addUser(t, db), addUser(t, db)
	var log strings.Builder
	h := hear(t, db.DB, &log, one, other)
	h.woken(one, other)
	for range 2 {
		count(t, db, strings.Replace(listeners, "count(*)", "count(pg_terminate_backend(pid))", 1))
		h.woken(one, other)
	}
	if !h.Live() {
		t.Error("it is not live")
	}
	change(t, db, one)
	h.woken(one)
	if n := count(t, db, listeners); n != 1 {
		t.Errorf("%d connections listen", n)
	}
	h.stop()
	if n := strings.Count(log.String(), "are not heard of"); n != 2 {
		t.Errorf("two losses are told %d times:\n%s", n, log.String())
	}
	if h.Live() {
		t.Error("it is live after its end")
	}
	await(t, "nothing listens", func() bool { return count(t, db, listeners) == 0 })
}

// A pooler in transaction mode takes LISTEN, and passes nothing on.
func TestDeafConnectionIsToldOnce(t *testing.T) {
	t.Parallel()
	direct := pgtest.New(t)
	cable := layCable(t, direct, withoutNotifications)
	db, err := postgres.Open(t.Context(), cable.url(), pgtest.Schema, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	var log strings.Builder
	user := addUser(t, direct)
	h := hear(t, db, &log, user)
	await(t, "it has tried a third time", func() bool { return cable.laid() > 3 }) // one connection is the pool's
	h.stop()
	h.asleep(user)
	if n := strings.Count(log.String(), "pooler in transaction mode"); n != 1 || h.Live() {
		t.Errorf("told %d times; live: %t\n%s", n, h.Live(), log.String())
	}
}

// withoutNotifications carries all messages of a server but those.
func withoutNotifications(to io.Writer, from io.Reader) (int64, error) {
	in := bufio.NewReader(from)
	for {
		head, err := in.Peek(5)
		if err != nil {
			return 0, err
		}
		out := to
		if head[0] == 'A' {
			out = io.Discard
		}
		if _, err := io.CopyN(out, in, 1+int64(binary.BigEndian.Uint32(head[1:]))); err != nil {
			return 0, err
		}
	}
}
