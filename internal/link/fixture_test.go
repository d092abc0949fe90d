package link_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/limit"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
	"github.com/garminlink/garminlink/internal/seal"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// world is one database, one Garmin, and as many replicas as a test starts.
type world struct {
	t      testing.TB
	db     *pgtest.DB
	garmin *garmintest.Server
	keyset []byte
	keys   *seal.Keyring
	links  *link.Service // the first replica
	user   uuid.UUID
	token  uuid.UUID // of a program
}

func newWorld(t testing.TB) *world {
	t.Helper()
	json, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.Parse(json)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, db: pgtest.New(t), garmin: new(garmintest.Server), keyset: json, keys: keys, token: uuid.New()}
	t.Cleanup(w.garmin.Close)
	w.links = w.replica()
	w.user = w.newUser("runner@example.com")
	return w
}

// replica starts a service that shares nothing with others but the database.
func (w *world) replica() *link.Service { return w.replicaWith(w.options()) }

func (w *world) replicaWith(o garmin.Options) *link.Service {
	w.t.Helper()
	return w.replicaWithin(link.DefaultBudget, o)
}

func (w *world) replicaWithin(budget limit.Rate, o garmin.Options) *link.Service {
	w.t.Helper()
	store := postgres.NewLinks(w.db.DB)
	vault, err := link.OpenVault(context.Background(), store, w.keys)
	if err != nil {
		w.t.Fatal(err)
	}
	s := link.New(store, o, budget, vault, postgres.NewLimits(w.db.Gorm), slog.New(slog.DiscardHandler))
	w.t.Cleanup(s.Close)
	return s
}

// options ask by one flow alone, so that one fault is one answer.
func (w *world) options() garmin.Options {
	return garmin.Options{Transport: w.garmin.Transport(), Now: w.garmin.Now, Flows: []garmin.Flow{garmin.IOS}}
}

func (w *world) newUser(email string) uuid.UUID {
	w.t.Helper()
	id := uuid.Must(uuid.NewV7())
	w.exec("INSERT INTO users (id, email, password_hash, role) VALUES ($1, $2, 'x', 'user')", id, email)
	return id
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	if _, err := w.db.Pool.Exec(context.Background(), sql, args...); err != nil {
		w.t.Fatal(err)
	}
}

// one reads a single value.
func one[T any](w *world, sql string, args ...any) T {
	w.t.Helper()
	var v T
	if err := w.db.Pool.QueryRow(context.Background(), sql, args...).Scan(&v); err != nil {
		w.t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// advance moves the clocks of the database and of Garmin.
func (w *world) advance(d time.Duration) {
	w.t.Helper()
	w.db.Advance(w.t, d)
	w.garmin.Advance(d)
}

func (w *world) act() link.Act {
	return link.Act{User: w.user, By: link.ByUser, RequestID: "req-1"}
}

func credentials(account string) link.Credentials {
	return link.Credentials{Email: account + "@garmin.example", Password: garmintest.DemoPassword, Region: "garmin.com"}
}

func (w *world) start(account string) link.Link {
	w.t.Helper()
	l, err := w.links.Start(context.Background(), w.act(), credentials(account))
	if err != nil {
		w.t.Fatalf("Start(%s): %v", account, err)
	}
	return l
}

func (w *world) view() link.Link {
	w.t.Helper()
	l, err := w.links.View(context.Background(), w.act())
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

func (w *world) wantState(want string) link.Link {
	w.t.Helper()
	l := w.view()
	if l.State.String() != want {
		w.t.Fatalf("state is %s, want %s", l.State, want)
	}
	return l
}

// wantEvents compares the whole history of the user.
func (w *world) wantEvents(want ...string) {
	w.t.Helper()
	w.wantLines(want, "SELECT event || ': ' || from_state || ' -> ' || to_state FROM link_events WHERE user_id = $1 ORDER BY id")
}

// wantLines compares what a query tells of the user.
func (w *world) wantLines(want []string, sql string) {
	w.t.Helper()
	rows, err := w.db.Pool.Query(context.Background(), sql, w.user)
	if err != nil {
		w.t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		w.t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("on record is\n\t%q, want\n\t%q", got, want)
	}
}

func wantKind(t testing.TB, err error, want link.Kind) *link.Error {
	t.Helper()
	e, ok := errors.AsType[*link.Error](err)
	if !ok || e.Kind != want {
		t.Fatalf("error is %v, want %s", err, want)
	}
	return e
}

// awaitCalls waits until Garmin was asked n times, held calls included.
func (w *world) awaitCalls(op garmintest.Op, n int) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := w.garmin.AwaitCalls(ctx, op, n); err != nil {
		w.t.Fatal(err)
	}
}
