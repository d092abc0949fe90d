package link_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/limit"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/google/uuid"
)

func (w *world) now() time.Time { return one[time.Time](w, "SELECT app_now()") }

func (w *world) report(r link.Report) bool {
	w.t.Helper()
	applied, err := w.links.Report(context.Background(), w.program(), r)
	if err != nil {
		w.t.Fatal(err)
	}
	return applied
}

// What each outcome does to a link that was linked an hour ago.
func TestWhatAReportDoes(t *testing.T) {
	t.Parallel()
	const hour = time.Hour
	for name, c := range map[string]struct {
		outcome link.Outcome
		seen    time.Duration // before now; 0: not said
		proved  time.Duration // before now, afterwards
		due     bool
		slow    bool
	}{
		"ok counts from now":                      {outcome: link.WorkerOK},
		"ok counts from when it was seen":         {outcome: link.WorkerOK, seen: 10 * time.Minute, proved: 10 * time.Minute},
		"ok never counts from the future":         {outcome: link.WorkerOK, seen: -hour},
		"ok never goes backwards":                 {outcome: link.WorkerOK, seen: 2 * hour, proved: hour},
		"unauthorized has the link checked":       {outcome: link.WorkerUnauthorized, proved: hour, due: true},
		"unauthorized before the proof is old":    {outcome: link.WorkerUnauthorized, seen: 2 * hour, proved: hour},
		"rate-limited slows the jobs of one host": {outcome: link.WorkerRateLimited, proved: hour, slow: true},
		"rate-limited a minute ago slows them":    {outcome: link.WorkerRateLimited, seen: time.Minute, proved: hour, slow: true},
		"rate-limited long ago slows nothing":     {outcome: link.WorkerRateLimited, seen: 10 * time.Minute, proved: hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.start("plain")
			w.advance(hour)
			r := link.Report{Generation: w.generation(), Outcome: c.outcome}
			if c.seen != 0 {
				r.ObservedAt = w.now().Add(-c.seen)
			}
			if !w.report(r) {
				t.Error("it was not applied")
			}
			l := w.wantState("active")
			within(t, "the last proof", l.AsOf.Sub(l.LastValidated), c.proved-time.Second, c.proved+30*time.Second)
			if (w.due() == 1) != c.due {
				t.Errorf("due is %d", w.due())
			}
			slow := one[int](w, "SELECT count(*) FROM cool_downs WHERE key = 'garmin/spare/connectapi.garmin.com'")
			if (slow == 1) != c.slow {
				t.Errorf("%d hosts are spared", slow)
			}
			w.wantLines([]string{string(c.outcome)}, "SELECT reported_outcome FROM garmin_authentication_states WHERE user_id = $1")
			w.wantEvents("login_done: not_linked -> active")
		})
	}
}

func TestReportOnAnOlderSessionChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	old := w.generation()
	w.start("plain")
	w.advance(time.Hour)
	const row = "SELECT s::text FROM garmin_authentication_states s"
	before := one[string](w, row)
	for _, o := range []link.Outcome{link.WorkerOK, link.WorkerUnauthorized, link.WorkerRateLimited} {
		if w.report(link.Report{Generation: old, Outcome: o}) {
			t.Errorf("%s was applied", o)
		}
	}
	if one[string](w, row) != before || one[int](w, "SELECT count(*) FROM cool_downs") != 0 {
		t.Error("it changed something")
	}
	if err := w.links.Unlink(t.Context(), w.act()); err != nil {
		t.Fatal(err)
	}
	if w.report(link.Report{Generation: old, Outcome: link.WorkerOK}) {
		t.Error("it was applied to no link")
	}
	w.wantLines([]string{"", "unauthorized", "rate_limited", ""},
		"SELECT outcome FROM link_activity WHERE user_id = $1 AND what = 'report' ORDER BY at")
}

func TestReportsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	_, err := w.links.Report(t.Context(), w.program(), link.Report{Generation: w.generation() + 1, Outcome: link.WorkerOK})
	wantKind(t, err, link.GenerationUnknown)
	if _, err := w.links.Report(t.Context(), w.program(), link.Report{Generation: 1, Outcome: "fine"}); !errors.Is(err, link.ErrUnknownOutcome) {
		t.Errorf("error is %v", err)
	}
	nobody := link.Act{User: uuid.New(), By: link.ByWorker}
	if _, err := w.links.Report(t.Context(), nobody, link.Report{Generation: 1, Outcome: link.WorkerOK}); !errors.Is(err, link.ErrNotFound) {
		t.Errorf("error is %v", err)
	}
	if n := one[int](w, "SELECT count(*) FROM link_activity WHERE what = 'report'"); n != 0 {
		t.Errorf("%d of them are on record", n)
	}
}

func TestUnauthorizedIsFollowedByOneCheck(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.advance(time.Hour)
	w.garmin.RevokeAccount("plain@garmin.example")
	refusal := link.Report{Generation: w.generation(), Outcome: link.WorkerUnauthorized}
	w.garmin.Fail(garmintest.OpProfile, garmintest.ServerError, 1)
	w.report(refusal)
	if err := w.check(); err == nil {
		t.Fatal("the check says that it worked")
	}
	for range 5 { // the check is to come again later, whoever says the same meanwhile
		w.advance(10 * time.Second)
		w.report(refusal)
	}
	if w.due() != 0 {
		t.Error("the link is due again")
	}
	w.advance(2 * time.Minute)
	w.report(refusal)
	if err := w.check(); err != nil {
		t.Fatal(err)
	}
	w.wantState("reauth_needed")
}

// A word that comes right after a proof is not lost, however often it is said:
// the link is left alone for a minute, and then looked at.
func TestUnauthorizedRightAfterAProofIsFollowedUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.garmin.RevokeAccount("plain@garmin.example")
	for range 2 {
		w.advance(25 * time.Second)
		w.report(link.Report{Generation: w.generation(), Outcome: link.WorkerUnauthorized})
		if w.due() != 0 {
			t.Error("the link is due within the minute")
		}
	}
	w.advance(25 * time.Second)
	if w.due() != 1 {
		t.Fatalf("the link is due in %s", w.untilDue())
	}
	if err := w.check(); err != nil {
		t.Fatal(err)
	}
	w.wantState("reauth_needed")
}

// A link that Garmin's API refuses was looked at already.
func TestUnauthorizedAddsNothingToARefusal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.advance(time.Hour)
	w.garmin.Add(garmintest.Account{Email: "plain@garmin.example", Password: garmintest.DemoPassword, Refused: true})
	_, err := w.validate()
	wantKind(t, err, link.Unavailable)
	w.advance(5 * time.Minute)
	w.report(link.Report{Generation: w.generation(), Outcome: link.WorkerUnauthorized})
	if w.due() != 0 {
		t.Error("the link is due")
	}
}

// The worker's word is not our proof: the session before stays within reach.
func TestReportLetsGoOfNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.advance(25 * time.Hour)
	out := w.mustCheckOut(garth)
	w.report(link.Report{Generation: out.Generation, Outcome: link.WorkerOK})
	if !one[bool](w, "SELECT previous_session IS NOT NULL FROM garmin_authentication_states") {
		t.Error("the session before is gone")
	}
}

func TestManyReportsAreTakenEachForItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	users := w.crowd(5)
	w.advance(time.Hour)
	var reports []link.ReportFor
	for i, user := range users {
		w.user = user
		reports = append(reports, link.ReportFor{User: user, Report: link.Report{Generation: w.generation() + int64(i/4)<<32, Outcome: link.WorkerOK}})
	}
	reports = append(reports,
		link.ReportFor{User: uuid.New(), Report: reports[0].Report},
		link.ReportFor{User: users[0], Report: link.Report{Generation: reports[0].Generation, Outcome: "fine"}},
		link.ReportFor{User: users[0], Report: link.Report{Generation: reports[0].Generation, Outcome: link.WorkerUnauthorized}})
	got, err := w.links.ReportAll(t.Context(), link.Act{By: link.ByWorker, RequestID: "req-w"}, reports)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, r := range got {
		told = append(told, fmt.Sprint(r.Applied, " ", link.KindOf(r.Err), " ", errors.Is(r.Err, link.ErrNotFound), errors.Is(r.Err, link.ErrUnknownOutcome)))
	}
	want := []string{
		"true  false false", "true  false false", "true  false false", "true  false false",
		"false generation_unknown false false", "false  true false", "false  false true", "true  false false",
	}
	for i := range want {
		if told[i] != want[i] {
			t.Errorf("report %d: %s, want %s", i, told[i], want[i])
		}
	}
	w.user = users[0]
	w.wantLines([]string{"unauthorized"}, "SELECT reported_outcome FROM garmin_authentication_states WHERE user_id = $1")
}

// Batches that name the same users in other orders wait for each other.
func TestBatchesOfReportsDoNotDeadlock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	users := w.crowd(8)
	var there, back []link.ReportFor
	for i, user := range users {
		w.user = user
		r := link.ReportFor{User: user, Report: link.Report{Generation: w.generation(), Outcome: link.WorkerOK}}
		there, back = append(there, r), append(back, r)
		back[0], back[i] = back[i], back[0]
	}
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			batch := there
			if i%2 == 0 {
				batch = back
			}
			if _, err := w.links.ReportAll(context.Background(), link.Act{By: link.ByWorker}, batch); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// Jobs go at half the pace; people do not wait.
func TestRateLimitedWorkersSlowJobsAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.links = w.replicaWithin(limit.Rate{Burst: 20, Per: time.Minute}, w.options())
	users := w.crowd(4)
	w.user = users[0]
	w.advance(time.Hour)
	taken := func(ask func()) time.Duration {
		const arrival = "SELECT extract(epoch FROM max(arrival))::float8 FROM rate_limits WHERE key = 'garmin/budget/connectapi.garmin.com'"
		w.exec("UPDATE rate_limits SET arrival = app_now() + interval '1 second'")
		before := one[float64](w, arrival)
		ask()
		return time.Duration((one[float64](w, arrival) - before) * float64(time.Second))
	}
	checkDue := func() {
		w.exec("UPDATE garmin_authentication_states SET next_check_at = app_now() WHERE user_id = $1", w.user)
		if err := w.check(); err != nil {
			t.Error(err)
		}
	}
	within(t, "a job's call", taken(checkDue), 2900*time.Millisecond, 3100*time.Millisecond)
	w.report(link.Report{Generation: w.generation(), Outcome: link.WorkerRateLimited})
	within(t, "a job's call to a host that is spared", taken(checkDue), 5900*time.Millisecond, 6100*time.Millisecond)
	within(t, "a person's call", taken(func() { _, _ = w.validate() }), 2900*time.Millisecond, 3100*time.Millisecond)
	w.advance(6 * time.Minute)
	within(t, "a job's call later", taken(checkDue), 2900*time.Millisecond, 3100*time.Millisecond)
}
