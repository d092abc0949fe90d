package worker

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/notify"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
	"github.com/garminlink/garminlink/internal/seal"
)

// patience is how long a test waits for what must happen.
const patience = 60 * time.Second

// world is one database, one Garmin, and as many replicas as a test starts.
type world struct {
	t      *testing.T
	db     *pgtest.DB
	garmin *garmintest.Server
	way    callLog // to Garmin
	keys   *seal.Keyring
	log    logBook
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
	w := &world{t: t, db: pgtest.New(t), garmin: new(garmintest.Server), keys: keys}
	t.Cleanup(w.garmin.Close)
	w.way.next = w.garmin.Transport()
	return w
}

// links starts a service that shares nothing with others but the database.
func (w *world) links() *link.Service {
	w.t.Helper()
	store := postgres.NewLinks(w.db.DB)
	vault, err := link.OpenVault(context.Background(), store, w.keys)
	if err != nil {
		w.t.Fatal(err)
	}
	o := garmin.Options{Transport: &w.way, Now: w.garmin.Now, Flows: []garmin.Flow{garmin.IOS}}
	s := link.New(store, o, link.DefaultBudget, vault, postgres.NewLimits(w.db.Gorm), slog.New(slog.DiscardHandler))
	w.t.Cleanup(s.Close)
	return s
}

// webhooks may be received on this machine.
func (w *world) webhooks() *notify.Service {
	w.t.Helper()
	vault, err := link.OpenVault(context.Background(), postgres.NewLinks(w.db.DB), w.keys)
	if err != nil {
		w.t.Fatal(err)
	}
	return notify.New(notify.Config{
		Store: postgres.NewWebhooks(w.db.DB), Vault: vault, Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Attempted: func(string) {}, Log: slog.New(slog.NewTextHandler(&w.log, nil)),
	})
}

// worker is one that does not run yet.
func (w *world) worker() *Worker {
	w.t.Helper()
	made, err := New(Config{
		Pool: w.db.Pool, Links: w.links(), Webhooks: w.webhooks(), PerSecond: link.DefaultBudget.Burst,
		Sample:  func(context.Context) error { return nil },
		Checked: func(string) {},
		Log:     slog.New(slog.NewTextHandler(&w.log, nil)),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return made
}

// run runs a worker until stop is called, or the test ends.
func (w *world) run(worker *Worker) (stop func()) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Errorf("Run: %v", err)
		}
	})
	w.t.Cleanup(stop)
	return stop
}

func (w *world) find(worker *Worker) {
	w.t.Helper()
	if err := worker.findDue(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

// newLinks makes users whose links were proved a moment ago.
func (w *world) newLinks(n int) []uuid.UUID {
	w.t.Helper()
	links := w.links()
	users := make([]uuid.UUID, n)
	var group errgroup.Group
	group.SetLimit(8)
	for i := range users {
		name := fmt.Sprintf("user%d", i)
		users[i] = w.newUser(name + "@example.com")
		w.garmin.Add(garmintest.Account{Email: name + "@garmin.example", Password: garmintest.DemoPassword})
		group.Go(func() error {
			_, err := links.Start(context.Background(), link.Act{User: users[i], By: link.ByUser, RequestID: "req"},
				link.Credentials{Email: name + "@garmin.example", Password: garmintest.DemoPassword, Region: "garmin.com"})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		w.t.Fatal(err)
	}
	return users
}

func (w *world) newUser(email string) uuid.UUID {
	w.t.Helper()
	id := uuid.Must(uuid.NewV7())
	w.exec("INSERT INTO users (id, email, password_hash, role) VALUES ($1, $2, 'x', 'user')", id, email)
	return id
}

// advance moves the clocks of the database and of Garmin.
func (w *world) advance(d time.Duration) {
	w.t.Helper()
	w.db.Advance(w.t, d)
	w.garmin.Advance(d)
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

// await waits until the database says so.
func (w *world) await(sql string, args ...any) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !one[bool](w, "SELECT "+sql, args...) {
		select {
		case <-look.C:
		case <-ctx.Done():
			w.t.Fatalf("never came true: %s\n%s", sql, w.jobs())
		}
	}
}

const (
	noneDue  = `NOT EXISTS (SELECT FROM garmin_authentication_states WHERE session_data IS NOT NULL AND next_check_at <= app_now())`
	noneLeft = `NOT EXISTS (SELECT FROM river_job WHERE kind = 'check_link' AND finalized_at IS NULL)`
)

// waiting counts the checks in the queue.
func (w *world) waiting() int {
	w.t.Helper()
	return one[int](w, "SELECT count(*) FROM river_job WHERE kind = 'check_link' AND state = 'available'")
}

// jobs are River's rows, whole.
func (w *world) jobs() string {
	w.t.Helper()
	return one[string](w, "SELECT coalesce(string_agg(j::text, E'\\n'), '') FROM river_job j")
}

func (w *world) wantCalls(op garmintest.Op, want int) {
	w.t.Helper()
	if got := w.garmin.Calls(op); got != want {
		w.t.Errorf("Garmin was asked %d times for %s, want %d", got, op, want)
	}
}

// logBook is a log that several may write.
type logBook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logBook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
