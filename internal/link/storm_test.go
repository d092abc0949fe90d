package link_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

// claimCounter is the real store that tells how many asked for the lease.
type claimCounter struct {
	link.Store
	asked chan struct{}
}

func (s claimCounter) ClaimRefresh(ctx context.Context, user uuid.UUID, seen int64, owner uuid.UUID, lease time.Duration) (link.RefreshClaim, bool, error) {
	defer func() { s.asked <- struct{}{} }()
	return s.Store.ClaimRefresh(ctx, user, seen, owner, lease)
}

// connect opens a pool of its own, as another process has.
func (w *world) connect(url string) *postgres.DB {
	w.t.Helper()
	db, err := postgres.Open(context.Background(), url, pgtest.Schema, slog.New(slog.DiscardHandler))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = db.Close() })
	return db
}

// serviceOn starts a replica with this store, and the limits of this database.
func (w *world) serviceOn(db *postgres.DB, store link.Store, log *slog.Logger) *link.Service {
	w.t.Helper()
	vault, err := link.OpenVault(context.Background(), store, w.keys)
	if err != nil {
		w.t.Fatal(err)
	}
	s := link.New(store, w.options(), link.DefaultBudget, vault, postgres.NewLimits(db.Gorm), log)
	w.t.Cleanup(s.Close)
	return s
}

// Pages, jobs and workers all ask at once for a session that has run out.
func TestTwoHundredRequestsAreOneRefresh(t *testing.T) {
	t.Parallel()
	const requests, replicas = 200, 3
	w := newWorld(t)
	w.start("plain")
	w.advance(25 * time.Hour)
	asked := make(chan struct{}, requests)
	var services [replicas]*link.Service
	for i := range services {
		db := w.connect(w.db.URL)
		services[i] = w.serviceOn(db, claimCounter{postgres.NewLinks(db), asked}, slog.New(slog.DiscardHandler))
	}
	release := w.garmin.Hold(garmintest.OpRefresh)
	var all sync.WaitGroup
	for i := range requests {
		all.Go(func() { w.askAnyhow(services[i%replicas], i) })
	}
	for range replicas {
		<-asked
	}
	w.awaitCalls(garmintest.OpRefresh, 1)
	release()
	all.Wait()
	if n := w.garmin.Calls(garmintest.OpRefresh); n != 1 {
		t.Errorf("%d refreshes reached Garmin", n)
	}
	w.wantState("active")
}

// askAnyhow needs a fresh session, in one of the ways in which anybody does:
// every tenth is a job, which the budget makes wait.
func (w *world) askAnyhow(s *link.Service, i int) {
	var err error
	switch {
	case i%10 == 0:
		err = s.Check(context.Background(), w.job(w.user))
	case i%2 == 0:
		_, err = s.Validate(context.Background(), w.act())
	default:
		_, err = s.Export(context.Background(), w.act(), link.Export{Format: link.Garth})
	}
	if err != nil {
		w.t.Error(err)
	}
}

var outageLinks = flag.Int("link.outage", 300, "how many links an outage of Garmin's meets")

// crowd is many links that jobs alone keep alive. It counts the calls to
// Garmin by the second of the simulated clock.
type crowd struct {
	*world
	size  int
	mu    sync.Mutex
	calls map[string]int // by host and second
}

// RoundTrip implements http.RoundTripper.
func (c *crowd) RoundTrip(r *http.Request) (*http.Response, error) {
	second := fmt.Sprintf("%s %d", r.URL.Host, c.garmin.Now().Unix())
	c.mu.Lock()
	c.calls[second]++
	c.mu.Unlock()
	return c.garmin.Transport().RoundTrip(r)
}

// traffic is how many calls there were since it was asked last, and the most
// that one host got within a second.
func (c *crowd) traffic() (total, peak int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.calls {
		total, peak = total+n, max(peak, n)
	}
	clear(c.calls)
	return total, peak
}

// newCrowd signs as many in, each with a session of his own.
func newCrowd(t *testing.T, size int) *crowd {
	t.Helper()
	c := &crowd{world: newWorld(t), size: size, calls: map[string]int{}}
	o := c.options()
	o.Transport = c
	c.links = c.replicaWith(o)
	began := time.Now()
	concurrently(size, func(i int) {
		name := fmt.Sprintf("user%d", i)
		c.garmin.Add(garmintest.Account{Email: name + "@garmin.example", Password: garmintest.DemoPassword})
		act := link.Act{User: c.newUser(name + "@example.com"), By: link.ByUser, RequestID: "req-1"}
		if _, err := c.links.Start(context.Background(), act, credentials(name)); err != nil {
			t.Error(err)
		}
	})
	c.traffic()
	t.Logf("%d links made in %s", size, time.Since(began).Round(time.Second))
	return c
}

// concurrently does n things, up to 16 at a time.
func concurrently(n int, do func(i int)) {
	var all errgroup.Group
	all.SetLimit(16)
	for i := range n {
		all.Go(func() error { do(i); return nil })
	}
	_ = all.Wait()
}

// pass checks what is due, as the jobs do, and reports how many that were.
func (c *crowd) pass(ctx context.Context) int {
	c.t.Helper()
	users, err := c.links.Due(ctx, 200)
	if err != nil {
		c.t.Fatal(err)
	}
	concurrently(len(users), func(i int) { _ = c.links.Check(ctx, c.job(users[i])) })
	return len(users)
}

// recover lets jobs run until every link was proved since the given moment.
func (c *crowd) recover(since time.Time) {
	c.t.Helper()
	const proved = "SELECT count(*) FROM garmin_authentication_states WHERE last_validated > $1"
	for one[int](c.world, proved, since) < c.size {
		if c.now().Sub(since) > 2*time.Hour {
			c.t.Fatalf("%d of %d links are proved two hours later", one[int](c.world, proved, since), c.size)
		}
		step := 10 * time.Second
		if c.pass(context.Background()) > 0 {
			step = time.Second
		}
		c.advance(step)
	}
}

// An outage ends nobody's link, and its end is not the next one: links come
// back a few at a time, and however many are due, the budget holds.
func TestGarminDownForAnHour(t *testing.T) {
	t.Parallel()
	c := newCrowd(t, *outageLinks)
	c.advance(20 * time.Hour) // all are due
	const rows = "SELECT string_agg(session_data::text || generation, ',' ORDER BY user_id) FROM garmin_authentication_states"
	before := one[string](c.world, rows)
	c.garmin.Fail(garmintest.OpRefresh, garmintest.ServerError, 0)
	c.garmin.Fail(garmintest.OpProfile, garmintest.ServerError, 0)
	for range 360 {
		c.pass(t.Context())
		c.advance(10 * time.Second)
	}
	if one[string](c.world, rows) != before || one[int](c.world, "SELECT count(*) FROM link_events") != c.size {
		t.Error("the outage changed a link")
	}
	c.report("the outage")

	c.garmin.Clear()
	back := c.now()
	c.recover(back)
	t.Logf("all are proved %s after the outage", c.now().Sub(back).Round(time.Second))
	c.report("the recovery")

	c.advance(20 * time.Hour) // all are due again, and nobody has looked meanwhile
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	c.pass(ctx)
	c.report("three seconds with everything due")
}

// report logs the traffic, and sees that it kept to the budget: a burst, what a
// second adds to it, and calls of the second before that were slow to start.
func (c *crowd) report(of string) {
	c.t.Helper()
	total, peak := c.traffic()
	c.t.Logf("%s: %d calls, at most %d a second to one host", of, total, peak)
	if most := 3 * link.DefaultBudget.Burst; peak > most {
		c.t.Errorf("%s: %d calls in one second, want at most %d", of, peak, most)
	}
}
