package link_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
)

// takeOut checks a session out with what renews it.
func (w *world) takeOut() (*garmin.Session, int64) {
	w.t.Helper()
	out := w.mustCheckOut(link.CheckOut{Format: link.Garth, Renewal: true})
	session, err := garmin.ParseSession([]byte(out.Session.Reveal()))
	if err != nil {
		w.t.Fatal(err)
	}
	return session, out.Generation
}

// renewElsewhere is what a worker does that refreshes by itself.
func (w *world) renewElsewhere(s *garmin.Session) *garmin.Session {
	w.t.Helper()
	next, err := w.client().Refresh(context.Background(), s)
	if err != nil {
		w.t.Fatal(err)
	}
	return next
}

func (w *world) writeBack(s *garmin.Session, generation int64) (link.Link, error) {
	w.t.Helper()
	return w.links.WriteBack(context.Background(), w.program(), link.WriteBack{Text: link.Secret(w.dumps(s)), Generation: generation})
}

func (w *world) hasPrevious() bool {
	return one[bool](w, "SELECT previous_session IS NOT NULL FROM garmin_authentication_states WHERE user_id = $1", w.user)
}

func TestSessionThatAWorkerRenewedIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	taken, generation := w.takeOut()
	w.advance(time.Hour)
	renewed := w.renewElsewhere(taken)
	l, err := w.writeBack(renewed, generation)
	if err != nil {
		t.Fatal(err)
	}
	if w.generation() <= generation || l.AsOf.Sub(l.LastValidated) > time.Minute || w.hasPrevious() {
		t.Errorf("got %+v of generation %d", l, w.generation())
	}
	kept, after := w.takeOut()
	if !kept.Same(renewed) {
		t.Error("another session was kept")
	}
	for range 2 { // the answer was lost, and it is sent again
		if _, err := w.writeBack(renewed, generation); err != nil {
			t.Error(err)
		}
	}
	if w.generation() != after {
		t.Error("the very same session made a new generation")
	}
	w.wantEvents("login_done: not_linked -> active", "written_back: active -> active")
	w.wantLines([]string{"write_back " + w.token.String()},
		"SELECT concat_ws(' ', what, token_id) FROM link_activity WHERE user_id = $1 AND what = 'write_back' AND outcome = ''")
	w.wantNoSecrets()
	if told := w.happened(0, nil, 10); len(told) != 1 {
		t.Errorf("the world was told %+v", told)
	}
	w.advance(25 * time.Hour) // and we go on from there
	w.mustCheckOut(garth)
}

// We want to renew what a worker has just renewed, and it brings its own a
// little later: nobody has to sign in.
func TestWriteBackIsAwaitedBeforeAGrantCountsAsDead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	taken, generation := w.takeOut()
	w.advance(25 * time.Hour)
	renewed := w.renewElsewhere(taken)
	_, err := w.validate()
	wantKind(t, err, link.Unavailable)
	w.wantState("active")
	w.advance(30 * time.Minute)
	_, err = w.validate()
	wantKind(t, err, link.Unavailable)
	if _, err := w.writeBack(renewed, generation); err != nil {
		t.Fatal(err)
	}
	if _, err := w.validate(); err != nil {
		t.Fatal(err)
	}
	w.wantState("active")
}

func TestWriteBackIsNotAwaitedForEver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	taken, _ := w.takeOut()
	w.advance(25 * time.Hour)
	w.renewElsewhere(taken)
	_, err := w.validate()
	wantKind(t, err, link.Unavailable)
	w.advance(61 * time.Minute)
	_, err = w.validate()
	wantKind(t, err, link.ReauthNeeded)
}

func TestWriteBackOverAnotherSessionIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	taken, generation := w.takeOut()
	renewed := w.renewElsewhere(taken)
	w.start("plain")
	relinked := w.generation()
	_, err := w.writeBack(renewed, generation)
	wantKind(t, err, link.GenerationMoved)
	_, err = w.writeBack(renewed, relinked+1)
	wantKind(t, err, link.GenerationMoved)
	if w.generation() != relinked {
		t.Error("the link changed")
	}
}

// What renews a copy of before a refresh of ours is spent, though its access
// token still works.
func TestWriteBackOfAnOlderCopyIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	old, _ := w.takeOut()
	w.advance(20 * time.Hour) // of the 24 for which its token lives
	if err := w.check(); err != nil {
		t.Fatal(err)
	}
	_, err := w.writeBack(old, w.generation())
	wantKind(t, err, link.GenerationMoved)
	w.advance(25 * time.Hour)
	w.mustCheckOut(garth)
}

// What can be refused is refused, and the link goes on with what it has.
func TestWriteBackThatDoesNotCount(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text func(w *world) string
		want link.Kind
	}{
		"no session":            {func(*world) string { return "nonsense!" }, link.SessionGarbled},
		"without renewal":       {func(w *world) string { s, _ := w.takeOut(); return w.dumps(w.renewElsewhere(s).Stripped()) }, link.SessionStripped},
		"another account":       {func(w *world) string { return w.dumps(w.elsewhere("nomfa2", garmin.RegionGlobal)) }, link.OtherAccount},
		"dead, its token ended": {func(w *world) string { return w.spent(25 * time.Hour) }, link.SessionRefused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.garmin.Add(garmintest.Account{Email: "nomfa2@garmin.example", Password: garmintest.DemoPassword})
			w.start("plain")
			text := c.text(w)
			before := w.generation()
			_, err := w.links.WriteBack(t.Context(), w.program(), link.WriteBack{Text: link.Secret(text), Generation: before})
			wantKind(t, err, c.want)
			if w.generation() != before || w.hasPrevious() {
				t.Error("the link changed")
			}
			w.wantEvents("login_done: not_linked -> active")
			w.mustCheckOut(garth)
		})
	}
}

// The worker's refresh may have ended ours, so its session is kept while Garmin
// cannot be asked; if it turns out to be nothing, ours is still there.
func TestWriteBackWhileGarminIsAway(t *testing.T) {
	t.Parallel()
	for _, good := range []bool{true, false} {
		w := newWorld(t)
		linked := w.start("plain")
		taken, generation := w.takeOut()
		w.advance(time.Hour)
		brought := taken
		if good {
			brought = w.renewElsewhere(taken)
		} else {
			brought = w.elsewhere("plain", garmin.RegionGlobal)
			w.renewElsewhere(brought) // so that what renews it is spent
		}
		w.garmin.Fail(garmintest.OpProfile, garmintest.ServerError, 1)
		l, err := w.writeBack(brought, generation)
		if err != nil {
			t.Fatal(err)
		}
		if w.generation() <= generation || !l.LastValidated.Equal(linked.LastValidated) || !w.hasPrevious() {
			t.Errorf("unproved, it is %+v", l)
		}
		within(t, "the check", w.untilDue(), 0, 6*time.Minute)
		w.advance(25 * time.Hour)
		if err := w.check(); err != nil {
			t.Fatal(err)
		}
		w.wantState("active")
		if w.hasPrevious() {
			t.Error("proved, it still has the one before")
		}
	}
}

// Of several that nobody can prove, none puts what did work out of reach.
func TestUnprovedWriteBacksKeepWhatWorked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	_, worked := w.takeOut()
	for range 2 {
		w.advance(time.Minute)
		brought := w.elsewhere("plain", garmin.RegionGlobal)
		w.renewElsewhere(brought) // so that what renews it is spent
		w.garmin.Fail(garmintest.OpProfile, garmintest.ServerError, 1)
		if _, err := w.writeBack(brought, w.generation()); err != nil {
			t.Fatal(err)
		}
	}
	if got := one[int64](w, "SELECT previous_generation FROM garmin_authentication_states"); got != worked {
		t.Errorf("generation %d is within reach, want %d", got, worked)
	}
	w.advance(25 * time.Hour)
	w.mustCheckOut(garth)
}

// spent is a session whose token has ended, and what renews it was used.
func (w *world) spent(age time.Duration) string {
	s := w.elsewhere("plain", garmin.RegionGlobal)
	w.renewElsewhere(s)
	w.advance(age)
	return w.dumps(s)
}

func TestOfTwoWriteBacksAtOnceOneCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	taken, generation := w.takeOut()
	w.garmin.RefreshGrace = time.Hour
	sessions := []*garmin.Session{w.renewElsewhere(taken), w.renewElsewhere(taken)}
	release := w.garmin.Hold(garmintest.OpProfile)
	before := w.garmin.Calls(garmintest.OpProfile)
	var all sync.WaitGroup
	results := make([]error, len(sessions))
	for i, s := range sessions {
		all.Go(func() { _, results[i] = w.writeBack(s, generation) })
	}
	w.awaitCalls(garmintest.OpProfile, before+len(sessions))
	release()
	all.Wait()
	if (results[0] == nil) == (results[1] == nil) {
		t.Fatalf("got %v", results)
	}
	for _, err := range results {
		if err != nil {
			wantKind(t, err, link.GenerationMoved)
		}
	}
}

// The refresher finds that the link moved on, and throws its result away.
func TestWriteBackDuringARefreshOfOursWins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	taken, generation := w.takeOut()
	w.garmin.RefreshGrace = 100 * time.Hour // the worker's refresh works, and ours
	w.advance(time.Hour)
	renewed := w.renewElsewhere(taken)
	w.advance(23*time.Hour + 30*time.Minute)
	release := w.garmin.Hold(garmintest.OpRefresh)
	before := w.garmin.Calls(garmintest.OpRefresh)
	given := make(chan link.CheckedOut)
	go func() {
		out, err := w.checkOut(link.CheckOut{Format: link.Garth, MinLife: 15 * time.Minute, Renewal: true})
		if err != nil {
			t.Error(err)
		}
		given <- out
	}()
	w.awaitCalls(garmintest.OpRefresh, before+1)
	if _, err := w.writeBack(renewed, generation); err != nil {
		t.Error(err)
	}
	written := w.generation()
	release()
	if out := <-given; out.Generation != written || !readCopy(t, link.Garth, out.Session).Same(renewed) {
		t.Errorf("generation %d was given out, %d written back", out.Generation, written)
	}
	if w.generation() != written {
		t.Error("the refresh took the place of what was written back")
	}
}

func TestWriteBackNeedsALiveLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := w.elsewhere("plain", garmin.RegionGlobal)
	_, err := w.writeBack(session, 1)
	wantKind(t, err, link.NotLinked)
}

func TestWhatAWorkerImportsTakesNoLivePlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bring := func(s *garmin.Session) error {
		_, err := w.links.Import(context.Background(), w.program(), link.Import{Text: link.Secret(w.dumps(s))})
		return err
	}
	first := w.elsewhere("plain", garmin.RegionGlobal)
	if err := bring(first); err != nil {
		t.Fatal(err)
	}
	w.wantLines([]string{"imported worker link.active " + w.token.String()},
		"SELECT concat_ws(' ', event, actor, type, token_id) FROM link_events WHERE user_id = $1")
	if err := bring(first); err != nil {
		t.Errorf("the same again: %v", err)
	}
	wantKind(t, bring(w.elsewhere("plain", garmin.RegionGlobal)), link.AlreadyLinked)
	w.garmin.KillGrants("plain@garmin.example")
	w.advance(25 * time.Hour)
	_, err := w.checkOut(garth)
	wantKind(t, err, link.ReauthNeeded)
	w.garmin.Add(garmintest.Account{Email: "other@garmin.example", Password: garmintest.DemoPassword})
	wantKind(t, bring(w.elsewhere("other", garmin.RegionGlobal)), link.OtherAccount)
	if l := w.wantState("reauth_needed"); l.Candidate != nil {
		t.Error("it waits for somebody's yes")
	}
	if err := bring(w.elsewhere("plain", garmin.RegionGlobal)); err != nil {
		t.Fatal(err)
	}
	w.wantState("active")
}
