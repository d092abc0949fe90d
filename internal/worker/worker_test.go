package worker

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/riverqueue/river/rivertype"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
)

func TestDueLinkIsProved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.garmin.AccessLife = 100 * 24 * time.Hour
	user := w.newLinks(1)[0]
	w.advance(24 * time.Hour)
	w.run(w.worker())
	w.await("last_validated > app_now() - interval '5 minutes' FROM garmin_authentication_states WHERE user_id = $1", user)
	w.wantCalls(garmintest.OpProfile, 2)
	w.wantCalls(garmintest.OpRefresh, 0)
	if n := one[int](w, "SELECT count(*) FROM link_events"); n != 1 {
		t.Errorf("the history has %d lines, want that of the login alone", n)
	}
}

func TestSessionIsRenewedAheadOfItsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.newLinks(1)
	worker := w.worker()
	w.advance(16 * time.Hour) // of 24
	w.find(worker)
	if n := w.waiting(); n != 0 {
		t.Errorf("%d are to be checked too early", n)
	}
	w.advance(2*time.Hour + time.Minute)
	w.run(worker)
	w.await("refreshed_at IS NOT NULL AND last_validated >= refreshed_at FROM garmin_authentication_states")
	w.wantCalls(garmintest.OpRefresh, 1)
}

func TestThreeWorkersCheckEachLinkOnce(t *testing.T) {
	t.Parallel()
	const links, rounds = 25, 3
	w := newWorld(t)
	w.newLinks(links)
	workers := []*Worker{w.worker(), w.worker(), w.worker()}
	for _, worker := range workers {
		w.run(worker)
	}
	for range rounds {
		w.advance(25 * time.Hour) // all have run out
		var group sync.WaitGroup
		for _, worker := range workers {
			group.Go(func() { w.find(worker) })
		}
		group.Wait()
		w.await(noneDue)
		w.await(noneLeft)
	}
	w.wantCalls(garmintest.OpRefresh, rounds*links)
	w.wantCalls(garmintest.OpProfile, (1+rounds)*links)
	if log := w.log.String(); log != "" {
		t.Errorf("the log has\n%s", log)
	}
}

func TestJobOfADeadWorkerIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.newLinks(1)
	w.advance(20 * time.Hour)
	worker := w.worker()
	w.find(worker)
	w.exec("UPDATE river_job SET state = 'running', attempt = 1, attempted_at = now() - interval '1 minute', attempted_by = '{dead}'")
	w.find(worker)
	if n := w.waiting(); n != 0 {
		t.Errorf("%d wait beside one that runs", n)
	}
	w.exec("UPDATE river_job SET attempted_at = now() - interval '3 minutes'")
	w.run(worker)
	w.await(noneDue)
}

func TestEmptiedQueueFillsAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.newLinks(3)
	w.advance(20 * time.Hour)
	worker := w.worker()
	w.find(worker)
	w.find(worker)
	if n := w.waiting(); n != 3 {
		t.Errorf("%d wait, want each link once", n)
	}
	w.exec("TRUNCATE river_job, river_leader, river_queue")
	w.run(worker)
	w.await(noneDue)
	w.advance(20 * time.Hour)
	w.exec("TRUNCATE river_job")
	w.await(noneDue) // by the next look of the same worker
}

func TestWhatIsOverGoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	worker := w.worker()
	user := w.newUser("runner@example.com")
	_, err := worker.Links.Start(t.Context(), link.Act{User: user, By: link.ByUser, RequestID: "req"},
		link.Credentials{Email: "mfa@garmin.example", Password: garmintest.DemoPassword, Region: "garmin.com"})
	if err != nil {
		t.Fatal(err)
	}
	w.exec("INSERT INTO sign_ins (id, user_id, expires_at) VALUES ($1, $1, app_now())", user)
	oldest := one[string](w, "SELECT min(inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = 'link_activity'::regclass")
	w.advance(40 * 24 * time.Hour)
	w.run(worker)
	w.await("NOT EXISTS (SELECT FROM garmin_challenges) AND NOT EXISTS (SELECT FROM sign_ins)")
	w.await("to_regclass($1) IS NULL", oldest)
	w.await("event = 'expired' AND actor = 'system' AND request_id LIKE 'job-%' FROM link_events ORDER BY id DESC LIMIT 1")
}

func TestFaultOfOursIsToldAndDoesNotStopTheRest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	broken := w.newLinks(3)[0]
	w.exec("UPDATE garmin_authentication_states SET session_data = 'garbled' WHERE user_id = $1", broken)
	w.advance(20 * time.Hour)
	w.run(w.worker())
	w.await(noneDue)
	w.await(noneLeft)
	w.await("state = 'discarded' FROM river_job WHERE args->>'user' = $1", broken.String())
	if one[int](w, "SELECT count(*) FROM garmin_authentication_states WHERE last_validated > app_now() - interval '5 minutes'") != 2 {
		t.Error("the others were not proved")
	}
	if log := w.log.String(); strings.Count(log, "a job failed") != 1 || !strings.Contains(log, broken.String()) {
		t.Errorf("the log has\n%s", log)
	}
	w.wantNoSecrets()
}

func (w *world) wantNoSecrets() {
	w.t.Helper()
	told := w.jobs() + w.log.String()
	for _, secret := range w.garmin.Secrets() {
		if len(secret) > 5 && strings.Contains(told, secret) {
			w.t.Errorf("a secret of Garmin's is told: %.8s...", secret)
		}
	}
}

func TestJobUnderWayEndsBeforeRunDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.newLinks(1)
	w.advance(20 * time.Hour)
	release := w.garmin.Hold(garmintest.OpRefresh)
	stop := w.run(w.worker())
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := w.garmin.AwaitCalls(ctx, garmintest.OpRefresh, 1); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		stop()
	}()
	w.await("NOT EXISTS (SELECT FROM river_leader)") // the end has begun
	release()
	<-stopped
	if !one[bool](w, "SELECT "+noneDue) {
		t.Error("the check was cut off")
	}
}

func TestRunWithNothingLeftToDo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newWorld(t).worker().Run(ctx); err != nil {
		t.Errorf("Run: %v", err)
	}
}

// A replica whose clock is ahead must not have all wait for it.
func TestJobsWaitForNoReplicasClock(t *testing.T) {
	t.Parallel()
	tomorrow := time.Now().Add(24 * time.Hour)
	job := rivertype.JobInsertParams{State: rivertype.JobStateAvailable, ScheduledAt: &tomorrow}
	if err := byDatabaseClock(t.Context(), &job); err != nil || job.ScheduledAt != nil {
		t.Errorf("scheduled at %v, %v", job.ScheduledAt, err)
	}
	w := newWorld(t)
	w.run(w.worker())
	w.await("count(DISTINCT kind) = $1 FROM river_job WHERE metadata ? 'periodic'", len(periodic()))
	if n := one[int](w, "SELECT count(*) FROM river_job WHERE scheduled_at <> created_at"); n != 0 {
		t.Errorf("%d jobs wait for a replica's clock", n)
	}
}
