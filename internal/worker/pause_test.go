package worker

import (
	"context"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
)

func TestPauseHoldsChecksBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	user := w.newLinks(1)[0]
	control, err := NewControl(w.db.Pool)
	if err != nil {
		t.Fatal(err)
	}
	if err := control.Pause(t.Context()); err != nil { // before any worker ever ran
		t.Fatal(err)
	}
	if at, err := control.PausedAt(t.Context()); err != nil || at.IsZero() {
		t.Errorf("paused at %v, %v", at, err)
	}
	w.advance(20 * time.Hour)
	worker := w.worker()
	w.run(worker)
	w.await("count(*) > 0 FROM river_job WHERE kind = 'find_due_links' AND state = 'completed'")
	if w.waiting() != 0 || w.garmin.Calls(garmintest.OpProfile) != 1 {
		t.Errorf("%d wait", w.waiting())
	}
	if _, err := worker.Links.Validate(t.Context(), link.Act{User: user, By: link.ByUser, RequestID: "req"}); err != nil {
		t.Errorf("the user's own click: %v", err)
	}
	w.advance(20 * time.Hour)
	if err := control.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.await(noneDue)
	if at, err := control.PausedAt(t.Context()); err != nil || !at.IsZero() {
		t.Errorf("still paused at %v, %v", at, err)
	}
}

// River forgets a queue that looks old to a replica whose clock is a day ahead.
func TestPauseOutlivesRiversMemory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.newLinks(1)
	control, err := NewControl(w.db.Pool)
	if err != nil {
		t.Fatal(err)
	}
	if err := control.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.db.Pool.Exec(t.Context(), "DELETE FROM river_queue"); err != nil {
		t.Fatal(err)
	}
	w.advance(20 * time.Hour)
	w.find(w.worker())
	if at, err := control.PausedAt(t.Context()); err != nil || at.IsZero() || w.waiting() != 0 {
		t.Errorf("paused at %v, %d wait, %v", at, w.waiting(), err)
	}
}

func TestPauseIsObeyedByWorkersThatRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	user := w.newLinks(1)[0]
	control, err := NewControl(w.db.Pool)
	if err != nil {
		t.Fatal(err)
	}
	worker := w.worker()
	paused, unsubscribe := worker.client.Subscribe("queue_paused")
	defer unsubscribe()
	w.run(worker)
	w.await("count(*) > 0 FROM river_job WHERE kind = 'find_due_links'")
	if err := control.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-paused
	w.advance(20 * time.Hour)
	if _, err := worker.client.Insert(t.Context(), checkLink{User: user}, nil); err != nil { // found before the pause
		t.Fatal(err)
	}
	before := one[int](w, "SELECT count(*) FROM river_job")
	w.await("count(*) > $1 FROM river_job", before) // the next look has come
	if w.waiting() != 1 {
		t.Error("the check was begun")
	}
}

func TestResumeWithoutAPauseIsNoError(t *testing.T) {
	t.Parallel()
	control, err := NewControl(newWorld(t).db.Pool)
	if err != nil {
		t.Fatal(err)
	}
	if err := control.Resume(t.Context()); err != nil {
		t.Error(err)
	}
	if at, err := control.PausedAt(t.Context()); err != nil || !at.IsZero() {
		t.Errorf("paused at %v, %v", at, err)
	}
}

// A worker that has read of the pause, and has not obeyed yet, must not hold back
// what a resume has let go meanwhile.
func TestResumeWaitsForWorkersThatPause(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	control, err := NewControl(w.db.Pool)
	if err != nil {
		t.Fatal(err)
	}
	if err := control.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	gate, err := w.db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = gate.Rollback(context.Background()) }()
	if _, err := gate.Exec(t.Context(), "SELECT FROM river_queue FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	const queued = "count(*) = $1::int FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
	var group errgroup.Group
	worker := w.worker()
	group.Go(func() error { _, err := worker.paused(context.Background()); return err })
	w.await(queued, 1)
	group.Go(func() error { return control.Resume(context.Background()) })
	w.await(queued, 2)
	if err := gate.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if at, err := control.PausedAt(t.Context()); err != nil || !at.IsZero() {
		t.Errorf("paused at %v, %v, after it was resumed", at, err)
	}
}
