package link_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

// program is a worker with a service token.
func (w *world) program() link.Act {
	return link.Act{User: w.user, By: link.ByWorker, Token: w.token, RequestID: "req-w"}
}

func TestToldEventsSayWhoActedAndAreNotified(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	listener, err := w.db.Pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Release()
	if _, err := listener.Exec(t.Context(), "LISTEN "+pgtest.Schema+"_events"); err != nil {
		t.Fatal(err)
	}
	w.start("plain")
	if err := w.links.Unlink(t.Context(), w.program()); err != nil {
		t.Fatal(err)
	}
	w.wantLines([]string{"link.active user ", "link.removed worker " + w.token.String()},
		"SELECT type || ' ' || actor || ' ' || coalesce(token_id::text, '') FROM link_events WHERE user_id = $1 ORDER BY id")
	for _, event := range []string{"link.active", "link.removed"} {
		heard, err := listener.Conn().WaitForNotification(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		id := one[int64](w, "SELECT id FROM link_events WHERE type = $1", event)
		if want := fmt.Sprintf(`{"id":"%d","type":"%s","user":"%s"}`, id, event, w.user); heard.Payload != want {
			t.Errorf("heard %s, want %s", heard.Payload, want)
		}
	}
}

// Whoever has read up to an event must never be overtaken by one before it.
func TestIDsOfEventsStandInTheOrderOfCommits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	slow, err := w.db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = slow.Rollback(context.Background()) }()
	for _, statement := range []string{
		"SELECT pg_advisory_xact_lock('link_events'::regclass::oid::bigint)",
		fmt.Sprintf(`INSERT INTO link_events (user_id, event, from_state, to_state, actor, request_id, type)
			VALUES ('%s', 'expiring', 'active', 'active', 'system', 'slow', 'link.expiring')`, w.newUser("other@example.com")),
	} {
		if _, err := slow.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan error)
	go func() { done <- w.links.Unlink(context.Background(), w.act()) }()
	w.awaitTrue(`SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))`)
	if err := slow.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := one[string](w, "SELECT string_agg(request_id, ' ' ORDER BY id) FROM link_events"); got != "req-1 slow req-1" {
		t.Errorf("the order is %s", got)
	}
}

// awaitTrue waits until a query says so.
func (w *world) awaitTrue(sql string, args ...any) {
	w.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !one[bool](w, sql, args...); {
		if time.Now().After(deadline) {
			w.t.Fatalf("never came true: %s", sql)
		}
	}
}
