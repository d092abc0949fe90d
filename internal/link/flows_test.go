package link_test

import (
	"context"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
)

// wantActivity compares the record of what Garmin was asked and answered.
func (w *world) wantActivity(want ...string) {
	w.t.Helper()
	w.wantLines(want, "SELECT what || ': ' || flow || ' ' || outcome FROM link_activity WHERE user_id = $1 ORDER BY at")
}

// allFlows ask by every flow, with no pause that anybody would notice.
func (w *world) allFlows() garmin.Options {
	o := w.options()
	o.Flows = garmin.DefaultFlows()
	o.Wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	return o
}

func TestNextFlowFollowsABlock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.links = w.replicaWith(w.allFlows())
	w.garmin.Fail(garmintest.OpLogin, garmintest.EdgeBlocked, 2)
	l := w.start("mfa")
	if l.Challenge == nil {
		t.Fatalf("the link is %+v", l)
	}
	w.wantActivity("login: ios blocked", "login: android blocked", "login: widget ")
	if _, err := w.replica().SubmitCode(context.Background(), w.act(), l.Challenge.ID, garmintest.DemoCode); err != nil {
		t.Errorf("another replica cannot finish the widget's challenge: %v", err)
	}
	w.wantState("active")
}

func TestNoFlowFollowsAWrongPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.links = w.replicaWith(w.allFlows())
	c := credentials("plain")
	c.Password = "wrong"
	_, err := w.links.Start(context.Background(), w.act(), c)
	wantKind(t, err, link.WrongPassword)
	w.wantActivity("login: ios credentials")
}

func TestRecordSaysWhatAFlowAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	told := 0
	o := w.options()
	o.Report = func(context.Context, garmin.Attempt) { told++ }
	w.links = w.replicaWith(o)
	w.garmin.Fail(garmintest.OpLogin, garmintest.UnknownType, 1)
	_, err := w.links.Start(context.Background(), w.act(), credentials("plain"))
	wantKind(t, err, link.UnknownAnswer)
	got := one[string](w, `
		SELECT concat_ws(' ', what, flow, region, op, outcome, status, type, request_id) FROM link_activity
		WHERE user_id = $1 AND took > interval '0'`, w.user)
	if want := "login ios garmin.com login protocol 200 SOMETHING_NEW req-1"; got != want || told != 1 {
		t.Errorf("the record is %q, want %q; %d reports", got, want, told)
	}
}

// A login that takes its time on purpose says so, on every replica.
func TestPauseIsShownWhileItLasts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	waiting, goOn := make(chan time.Duration, 1), make(chan struct{})
	o := w.options()
	o.Flows = []garmin.Flow{garmin.Widget.WithPause(garmin.Pause{Min: 5 * time.Second, Max: 5 * time.Second})}
	o.Wait = func(_ context.Context, d time.Duration) error {
		waiting <- d
		<-goOn
		return nil
	}
	slow := w.replicaWith(o)
	ended := make(chan error, 1)
	go func() {
		_, err := slow.Start(context.Background(), w.act(), credentials("plain"))
		ended <- err
	}()
	<-waiting
	asking := w.view().Asking
	if asking == nil || asking.PausedUntil.Sub(asking.Since) < 5*time.Second {
		t.Errorf("the link shows %+v", asking)
	}
	close(goOn)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if asking := w.view().Asking; asking != nil {
		t.Errorf("the link still shows %+v", asking)
	}
}

// The record is kept for 30 days, whoever comes first makes the days' partitions.
func TestRecordForgetsAfterThirtyDays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.wantActivity("login: ios ")
	for range 5 {
		w.advance(8 * 24 * time.Hour)
		w.start("plain")
	}
	w.wantActivity("login: ios ", "login: ios ", "login: ios ", "login: ios ")
	if days := one[int](w, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'link_activity'::regclass"); days > 40 {
		t.Errorf("%d partitions are left", days)
	}
}

func TestChinaIsAskedInChina(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := credentials("china")
	c.Region = "garmin.cn"
	if _, err := w.links.Start(context.Background(), w.act(), c); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w.advance(25 * time.Hour)
		l, err := w.validate() // the simulation of garmin.com knows none of these tokens
		if err != nil || l.Region != "garmin.cn" || l.RefreshedAt.IsZero() {
			t.Errorf("%+v, %v", l, err)
		}
	}
}
