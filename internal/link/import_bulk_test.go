package link_test

import (
	"context"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/limit"
	"github.com/garminlink/garminlink/internal/link"
)

// brought is what a program imports for a new user.
func (w *world) brought(account string) (link.Act, link.Import) {
	w.t.Helper()
	w.garmin.Add(garmintest.Account{Email: account + "@garmin.example", Password: garmintest.DemoPassword})
	act := link.Act{User: w.newUser(account + "@example.com"), By: link.ByWorker, RequestID: "import-1"}
	return act, link.Import{Text: link.Secret(w.dumps(w.elsewhere(account, garmin.RegionGlobal)))}
}

// Programs bring sessions by the thousand: users come first.
func TestImportsOfProgramsKeepToTheBudget(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.links = w.replicaWithin(limit.Rate{Burst: 1, Per: time.Second}, w.options())
	began := time.Now()
	for _, account := range []string{"one", "two", "three"} {
		act, i := w.brought(account)
		if _, err := w.links.Import(context.Background(), act, i); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(began); took < 2*time.Second {
		t.Errorf("three calls within %s, by a budget of one a second", took)
	}
}

func TestImportsOfProgramsLeaveAHostAloneThatFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	act, i := w.brought("one")
	w.exec("INSERT INTO cool_downs VALUES ('garmin/breaker/connectapi.garmin.com', app_now() + interval '1 minute')")
	if _, err := w.links.Import(context.Background(), act, i); link.KindOf(err) != link.Unavailable {
		t.Errorf("error is %v", err)
	}
	if n := w.garmin.Calls(garmintest.OpProfile); n != 0 {
		t.Errorf("Garmin was asked %d times", n)
	}
	act.By = link.ByUser
	if _, err := w.links.Import(context.Background(), act, i); err != nil {
		t.Errorf("a user's own: %v", err)
	}
}

func TestCheckOfAnImportAsksNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, i := w.brought("one")
	now := w.garmin.Now()
	if err := i.Check(now); err != nil {
		t.Error(err)
	}
	wantKind(t, i.Check(now.Add(60*24*time.Hour)), link.SessionOver)
	wantKind(t, link.Import{Text: "{}"}.Check(now), link.SessionUnknown)
}
