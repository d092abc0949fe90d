package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

// desk is where programs check out at the same time.
type desk struct {
	t     *testing.T
	db    *pgtest.DB
	links *postgres.Links
	busy  sync.WaitGroup
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	db := pgtest.New(t)
	if _, err := db.Pool.Exec(t.Context(), "SELECT turn_link_activity()"); err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, db: db, links: postgres.NewLinks(db.DB)}
	d.links.Late(time.Hour)
	t.Cleanup(d.busy.Wait)
	return d
}

// link makes a user whose session is his id.
func (d *desk) link() uuid.UUID {
	d.t.Helper()
	user := addUser(d.t, d.db)
	_, err := d.db.Pool.Exec(d.t.Context(), `
		INSERT INTO garmin_authentication_states (user_id, session_data, last_validated, region, garmin_email, garmin_guid,
			garmin_name, generation, key_id, session_expires_at)
		VALUES ($1, uuid_send($1), now(), 'garmin.com', 'a@b.c', $1, 'Runner', 1, 1, now() + interval '1 day')`, user)
	if err != nil {
		d.t.Fatal(err)
	}
	return user
}

type answer struct {
	link.Lent
	err error
}

func (d *desk) checkOut(ctx context.Context, user uuid.UUID, request string) <-chan answer {
	got := make(chan answer, 1)
	d.busy.Go(func() {
		lent, err := d.links.CheckOut(ctx, link.Act{User: user, RequestID: request}, link.CheckOut{Format: link.Garth})
		got <- answer{lent, err}
	})
	return got
}

// hold lets nobody write a record until release: who has a lane keeps it.
func (d *desk) hold() (release func()) {
	d.t.Helper()
	tx, err := d.db.Pool.Begin(d.t.Context())
	if err == nil {
		_, err = tx.Exec(d.t.Context(), "LOCK TABLE link_activity")
	}
	if err != nil {
		d.t.Fatal(err)
	}
	d.checkOut(d.t.Context(), d.link(), "first")
	d.awaitHeld(1)
	return func() {
		if err := tx.Commit(context.Background()); err != nil {
			d.t.Error(err)
		}
	}
}

// awaitHeld waits until n batches are held.
func (d *desk) awaitHeld(n int) {
	d.t.Helper()
	await(d.t, fmt.Sprint(n, " batches are held"), func() bool {
		return n == count(d.t, d.db, `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`)
	})
}

func (d *desk) awaitWaiting(n int) {
	d.t.Helper()
	await(d.t, fmt.Sprint(n, " wait"), func() bool { return d.links.Waiting() == n })
}

func (d *desk) records(request string) int {
	d.t.Helper()
	return count(d.t, d.db, fmt.Sprintf("SELECT count(*) FROM link_activity WHERE request_id = '%s'", request))
}

func TestThoseWhoWaitCheckOutTogether(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	nobody := uuid.New()
	release := d.hold()
	asked := map[uuid.UUID]<-chan answer{nobody: d.checkOut(t.Context(), nobody, "nobody")}
	for range 6 {
		user := d.link()
		asked[user] = d.checkOut(t.Context(), user, "many")
	}
	d.awaitWaiting(len(asked))
	release()
	for user, got := range asked {
		a := <-got
		if own := string(a.Session.Ciphertext) == string(user[:]); a.err != nil || a.Given == (user == nobody) || own != a.Given {
			t.Errorf("%s got %+v", user, a)
		}
	}
	if n := d.records("many"); n != 6 || d.records("nobody") != 0 {
		t.Errorf("there are %d records", n)
	}
	if n := count(t, d.db, "SELECT count(DISTINCT xmin::text) FROM link_activity WHERE request_id = 'many'"); n != 1 {
		t.Errorf("it took %d transactions", n)
	}
}

// A connection that stalls holds up nobody else, although nobody comes after him.
func TestCheckOutsPassOneThatIsLate(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.links.Late(time.Second)
	release := d.hold()
	d.checkOut(t.Context(), d.link(), "second")
	d.awaitHeld(2)
	last := d.checkOut(t.Context(), d.link(), "last") // there are two lanes
	d.awaitWaiting(1)
	release()
	if a := <-last; a.err != nil || !a.Given {
		t.Errorf("the last got %+v", a)
	}
}

func TestACrowdNeedNotWaitForAnother(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	release := d.hold()
	defer release()
	for range postgres.Crowd - 1 {
		d.checkOut(t.Context(), d.link(), "crowd")
	}
	d.awaitWaiting(postgres.Crowd - 1)
	d.checkOut(t.Context(), d.link(), "crowd")
	d.awaitHeld(2)
	d.awaitWaiting(0)
}

// A dump reads the records for hours, so that no partition can be dropped.
func TestCheckOutsGoOnWhileADumpOutlastsTheDay(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	dump, err := d.db.Pool.Begin(t.Context())
	if err == nil {
		_, err = dump.Exec(t.Context(), "LOCK TABLE link_activity IN ACCESS SHARE MODE")
	}
	if err != nil {
		t.Fatal(err)
	}
	user := d.link()
	d.db.Advance(t, 24*time.Hour)
	cleaned := make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	go func() { cleaned <- d.links.Clean(ctx) }()
	d.awaitHeld(1)
	if a := <-d.checkOut(t.Context(), user, "meanwhile"); a.err != nil {
		t.Errorf("meanwhile one got %+v", a)
	}
	if err := <-cleaned; err == nil {
		t.Error("the partitions were turned under the dump's eyes")
	}
	if err := dump.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.links.Clean(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestCheckOutThatFailsHarmsNoOther(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	release := d.hold()
	bad := d.checkOut(t.Context(), d.link(), "no text of PostgreSQL's: \x00")
	good := []<-chan answer{d.checkOut(t.Context(), d.link(), "good"), d.checkOut(t.Context(), d.link(), "good")}
	d.awaitWaiting(3)
	release()
	for _, got := range good {
		if a := <-got; a.err != nil || !a.Given {
			t.Errorf("a good one got %+v", a)
		}
	}
	if a := <-bad; a.err == nil {
		t.Errorf("the bad one got %+v", a)
	}
	if n := d.records("good"); n != 2 {
		t.Errorf("there are %d records", n)
	}
}

func TestWhoGivesUpWaitingLeavesNoRecord(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	release := d.hold()
	ctx, giveUp := context.WithCancel(t.Context())
	gone, stays := d.checkOut(ctx, d.link(), "gone"), d.checkOut(t.Context(), d.link(), "stays")
	d.awaitWaiting(2)
	giveUp()
	select {
	case a := <-gone:
		if !errors.Is(a.err, context.Canceled) {
			t.Errorf("he got %+v", a)
		}
	case <-time.After(patience):
		t.Error("he waits on")
	}
	release()
	if a := <-stays; a.err != nil || !a.Given {
		t.Errorf("the other got %+v", a)
	}
	if d.records("gone") != 0 || d.records("stays") != 1 {
		t.Error("the records are wrong")
	}
}

// Every batch of a broken connection is asked for again, by each for himself.
func TestCheckOutSurvivesTheLossOfItsBatch(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	release := d.hold()
	asked := []<-chan answer{d.checkOut(t.Context(), d.link(), "many"), d.checkOut(t.Context(), d.link(), "many")}
	d.awaitWaiting(2)
	end := func() {
		count(t, d.db, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`)
	}
	end() // of him who holds the lane: the others are a batch now
	d.awaitWaiting(0)
	d.awaitHeld(1)
	end()
	release()
	for _, got := range asked {
		if a := <-got; a.err != nil || !a.Given {
			t.Errorf("one got %+v", a)
		}
	}
	if n := d.records("many"); n != 2 {
		t.Errorf("there are %d records", n)
	}
}
