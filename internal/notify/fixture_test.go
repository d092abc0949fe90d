package notify_test

import (
	"context"
	"log/slog"
	"net/netip"
	"testing"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/notify"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
	"github.com/garminlink/garminlink/internal/seal"
)

// world is one database, and a service that tells of what happens in it.
type world struct {
	t     *testing.T
	db    *pgtest.DB
	keys  *seal.Keyring
	store *postgres.Webhooks
	*notify.Service
}

func newWorld(t *testing.T) *world {
	t.Helper()
	json, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.Parse(json)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, db: pgtest.New(t), keys: keys}
	w.store = postgres.NewWebhooks(w.db.DB)
	w.Service = w.replica()
	return w
}

// replica is a service that shares nothing with others but the database. It may
// call this machine.
func (w *world) replica() *notify.Service {
	w.t.Helper()
	vault, err := link.OpenVault(context.Background(), postgres.NewLinks(w.db.DB), w.keys)
	if err != nil {
		w.t.Fatal(err)
	}
	s := notify.New(notify.Config{
		Store: w.store, Vault: vault, Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Attempted: func(string) {}, Log: slog.New(slog.DiscardHandler),
	})
	return s
}

// tells has a receiver told of events; of all if none is named.
func (w *world) tells(r *receiver, events ...link.EventType) uuid.UUID {
	w.t.Helper()
	e, secret, err := w.Add(context.Background(), r.URL, events)
	if err != nil {
		w.t.Fatal(err)
	}
	r.secrets = append(r.secrets, secret.Reveal())
	return e.ID
}

func (w *world) newUser() uuid.UUID {
	w.t.Helper()
	id := uuid.Must(uuid.NewV7())
	w.exec("INSERT INTO users (id, email, password_hash, role) VALUES ($1::uuid, $1::text || '@example.com', 'x', 'user')", id)
	return id
}

// happens writes an event, as a change of a link does.
func (w *world) happens(user uuid.UUID, t link.EventType) (event int64) {
	w.t.Helper()
	return one[int64](w, `
		INSERT INTO link_events (user_id, event, from_state, to_state, actor, request_id, type, created_at)
		VALUES ($1, 'test', 'active', 'reauth_needed', 'system', 'req', $2, app_now()) RETURNING id`, user, t)
}

// spread makes deliveries of what has happened.
func (w *world) spread() {
	w.t.Helper()
	if err := w.Spread(context.Background(), postgres.NewLinks(w.db.DB)); err != nil {
		w.t.Fatal(err)
	}
}

// pass does what the jobs do each time.
func (w *world) pass() {
	w.t.Helper()
	w.spread()
	w.deliver(w.Service)
}

// deliver sends all that is due, by one replica.
func (w *world) deliver(s *notify.Service) {
	w.t.Helper()
	for {
		due, err := s.Due(context.Background(), 1)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(due) == 0 {
			return
		}
		for _, d := range due {
			if err := s.Deliver(context.Background(), d.Endpoint); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	if _, err := w.db.Pool.Exec(context.Background(), sql, args...); err != nil {
		w.t.Fatalf("%s: %v", sql, err)
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

// log is what the operator sees of the deliveries to an endpoint, the earliest
// first.
func (w *world) log(endpoint uuid.UUID) []notify.Logged {
	w.t.Helper()
	l, err := w.store.Log(context.Background(), notify.Query{Endpoint: endpoint, Most: 1000})
	if err != nil {
		w.t.Fatal(err)
	}
	for i, j := 0, len(l)-1; i < j; i, j = i+1, j-1 {
		l[i], l[j] = l[j], l[i]
	}
	return l
}

// the is the only delivery to an endpoint.
func (w *world) the(endpoint uuid.UUID) notify.Logged {
	w.t.Helper()
	l := w.log(endpoint)
	if len(l) != 1 {
		w.t.Fatalf("%d deliveries", len(l))
	}
	return l[0]
}

func (w *world) endpoint(id uuid.UUID) notify.Endpoint {
	w.t.Helper()
	all, err := w.store.Endpoints(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range all {
		if e.ID == id {
			return e
		}
	}
	w.t.Fatal("no such endpoint")
	return notify.Endpoint{}
}
