package worker

import (
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
)

// Garmin is down for an hour, with all links due. None of them changes state,
// and they come back in a trickle.
func TestOutageOfGarmin(t *testing.T) {
	t.Parallel()
	const links = 300
	w := newWorld(t)
	w.newLinks(links)
	worker := w.worker()
	w.run(worker)
	w.advance(20 * time.Hour)
	w.garmin.Fail(garmintest.OpRefresh, garmintest.ServerError, 0)
	w.garmin.Fail(garmintest.OpProfile, garmintest.ServerError, 0)
	for range 6 {
		w.advance(10 * time.Minute)
		w.workOff(worker)
	}
	if n := one[int](w, "SELECT count(*) FROM garmin_authentication_states WHERE session_data IS NOT NULL"); n != links {
		t.Errorf("%d of %d links are left", n, links)
	}
	if n := one[int](w, "SELECT count(*) FROM link_events"); n != links {
		t.Errorf("the histories have %d lines, want that of each login", n)
	}

	w.garmin.Clear()
	w.advance(35 * time.Minute) // all are due
	w.way.forget()
	begin := time.Now()
	w.workOff(worker)
	took := time.Since(begin)
	const proved = "SELECT count(*) FROM garmin_authentication_states WHERE last_validated > app_now() - interval '5 minutes'"
	if n := one[int](w, proved); n != links {
		t.Errorf("%d of %d links were proved afterwards", n, links)
	}
	// The budget allows its burst at once, and as many in each second.
	burst := link.DefaultBudget.Burst
	if peak := w.way.peak(time.Second); peak > 2*burst {
		t.Errorf("a host was asked %d times in a second, want %d at most", peak, 2*burst)
	} else {
		t.Logf("%d links in %s, at most %d calls a second", links, took.Round(time.Second), peak)
	}
	if least := time.Duration(links-burst) * link.DefaultBudget.Interval(); took < least {
		t.Errorf("it took %s, want %s at least", took, least)
	}
	w.wantNoSecrets()
}

// workOff goes on until nothing is due.
func (w *world) workOff(worker *Worker) {
	w.t.Helper()
	for !one[bool](w, "SELECT "+noneDue) {
		w.find(worker)
		if n := w.waiting(); n > 10*link.DefaultBudget.Burst {
			w.t.Errorf("%d checks wait at once", n)
		}
		w.await(noneLeft)
	}
}
