package link_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// protocol drives replicas and the paper with the same events.
type protocol struct {
	w        *world
	grace    time.Duration
	p        *paper
	stores   []*mortal
	replicas []*link.Service
	moved    int64 // the last generation
	moves    int   // that of the paper
}

// String implements fmt.Stringer, for the story of a failure.
func (x *protocol) String() string { return fmt.Sprintf("a Garmin with %s of grace", x.grace) }

func (x *protocol) Relink(*rapid.T) {
	x.w.start("plain")
	x.p.hold(&token{born: x.p.now, used: never})
}

func (x *protocol) Wait(t *rapid.T) {
	waits := []time.Duration{70 * time.Second, 130 * time.Second, 16 * time.Minute, 19 * time.Hour, 25 * time.Hour, 31 * 24 * time.Hour}
	weights := []int{0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 4, 4, 4, 5}
	x.wait(waits[rapid.SampledFrom(weights).Draw(t, "wait")])
}

func (x *protocol) wait(d time.Duration) {
	x.w.advance(d)
	x.p.now += d
}

func (x *protocol) Revoke(t *rapid.T) {
	if rapid.IntRange(0, 3).Draw(t, "really") > 0 {
		t.Skip("most accounts are not revoked")
	}
	x.w.garmin.KillGrants("plain@garmin.example")
	for _, held := range []*token{x.p.stored, x.p.previous} {
		if held != nil {
			held.revoked = true
		}
	}
}

func (x *protocol) Ask(t *rapid.T) {
	some := func(what string, usual int, others ...string) string {
		return rapid.SampledFrom(append(make([]string, usual), others...)).Draw(t, what)
	}
	q := question{
		job:     rapid.Bool().Draw(t, "job"),
		dies:    some("dies", 4, afterClaim, beforeCommit, afterCommit),
		refresh: some("refresh", 6, "answer lost", "cut short", "502", "reset", "edge", "refusal"),
		verify:  some("verify", 3, "502"),
	}
	if x.p.renews(q) && x.p.leased() {
		t.Skip("a loser waits for the winner, who is dead")
	}
	x.ask(t, rapid.IntRange(0, 2).Draw(t, "replica"), q)
}

func (x *protocol) ask(t *rapid.T, i int, q question) {
	x.stores[i].live(q.dies)
	x.w.garmin.Clear()
	if q.refresh != "" {
		x.w.garmin.Fail(garmintest.OpRefresh, faults[q.refresh], 1)
	}
	if q.verify != "" {
		x.w.garmin.Fail(garmintest.OpProfile, faults[q.verify], 1)
	}
	kind, died := x.p.ask(q)
	err := x.put(x.replicas[i], q.job)
	switch {
	case died && !errors.Is(err, errDied),
		!died && q.job && kind == link.ReauthNeeded && err != nil,
		!died && !(q.job && kind == link.ReauthNeeded) && (link.KindOf(err) != kind || kind == "" && err != nil):
		t.Fatalf("%+v: %v, want %q, died %t", q, err, kind, died)
	}
	x.w.garmin.Clear()
}

// put asks a replica. A job finds the link due, and no breaker open.
func (x *protocol) put(s *link.Service, job bool) error {
	if !job {
		_, err := s.Validate(context.Background(), x.w.act())
		return err
	}
	x.w.exec("UPDATE garmin_authentication_states SET next_check_at = app_now() WHERE session_data IS NOT NULL AND user_id = $1", x.w.user)
	x.w.exec("DELETE FROM cool_downs")
	return s.Check(context.Background(), x.w.job(x.w.user))
}

// Storm asks all replicas at once. One refreshes, and all have what it got.
func (x *protocol) Storm(t *rapid.T) {
	q := question{}
	if !x.p.renews(q) || x.p.leased() {
		t.Skip("nothing to fight for")
	}
	before := x.w.garmin.Calls(garmintest.OpRefresh)
	kind, _ := x.p.ask(q)
	errs := make([]error, len(x.replicas))
	var all sync.WaitGroup
	for i, s := range x.replicas {
		x.stores[i].live(nowhere)
		all.Go(func() { errs[i] = x.put(s, false) })
	}
	all.Wait()
	n := x.w.garmin.Calls(garmintest.OpRefresh) - before
	if kind == "" && (n != 1 && x.p.moves == x.moves+1 || slices.ContainsFunc(errs, func(err error) bool { return err != nil })) {
		t.Fatalf("%d refreshes, %v", n, errs)
	}
	for _, err := range errs {
		if got := link.KindOf(err); got != kind && got != link.Unavailable {
			t.Fatalf("one got %v, want %q", err, kind)
		}
	}
}

// Check compares the row with the paper.
func (x *protocol) Check(t *rapid.T) {
	r, err := postgres.NewLinks(x.w.db.DB).Record(context.Background(), x.w.user)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("live %t, leased %t, intent %t, previous %t, refused %t", r.State.Session == link.Live,
		r.Now.Before(r.LeaseUntil), r.Intent != 0, !r.Previous.IsZero(), !r.GrantRefusedAt.IsZero())
	want := fmt.Sprintf("live %t, leased %t, intent %t, previous %t, refused %t", x.p.live,
		x.p.leased(), x.p.intent, x.p.previous != nil, x.p.refused != never)
	if got != want {
		t.Fatalf("the row: %s\nthe paper: %s", got, want)
	}
	switch generation := r.Session.Generation; {
	case !x.p.live:
		return
	case generation < x.moved || (generation > x.moved) != (x.p.moves > x.moves):
		t.Fatalf("generation %d after %d; %d moves after %d", generation, x.moved, x.p.moves, x.moves)
	default:
		x.moved, x.moves = generation, x.p.moves
	}
}

// rest lets the link come to rest once nothing fails any more: it lives if
// Garmin takes any token that it holds, and nothing is left unfinished.
func (x *protocol) rest(t *rapid.T) {
	x.wait(70 * time.Second)
	hope := x.p.live && (!x.p.renews(question{}) || x.p.accepts(x.p.stored) || x.p.previous != nil && x.p.accepts(x.p.previous))
	x.settle(t)
	if x.p.live != hope {
		t.Fatalf("the link lives: %t, want %t", x.p.live, hope)
	}
	x.wait(25 * time.Hour)
	x.settle(t)
	if x.p.live && (x.p.intent || x.p.leased() || x.p.previous != nil) {
		t.Fatalf("the refresh left something behind: %+v", x.p)
	}
}

// settle asks as often as the longest doubt takes.
func (x *protocol) settle(t *rapid.T) {
	for i := range 2 {
		x.ask(t, i, question{})
		x.Check(t)
		x.wait(130 * time.Second)
	}
}

func newProtocol(t *testing.T, grace time.Duration) *protocol {
	x := &protocol{w: newWorld(t), grace: grace}
	x.w.garmin.RefreshGrace = grace
	for range 3 {
		m := &mortal{Store: postgres.NewLinks(x.w.db.DB)}
		x.stores = append(x.stores, m)
		x.replicas = append(x.replicas, x.w.serviceOn(x.w.db.DB, m, slog.New(slog.DiscardHandler)))
	}
	return x
}

func TestRefreshFollowsTheModel(t *testing.T) {
	t.Parallel()
	worlds := []*protocol{newProtocol(t, 0), newProtocol(t, 48*time.Hour)}
	rapid.Check(t, func(t *rapid.T) {
		rapid.SampledFrom(worlds).Draw(t, "world").history(t)
	})
}

// history is one user's, from the first login on.
func (x *protocol) history(t *rapid.T) {
	x.w.user = x.w.newUser(uuid.NewString() + "@example.com")
	defer x.w.exec("DELETE FROM users WHERE id = $1", x.w.user) // frees the Garmin account
	x.w.exec("DELETE FROM link_verdicts")                       // others' deaths are no sign that Garmin is broken
	x.p = &paper{grace: x.grace}
	x.moves, x.moved = 0, 0
	x.Relink(t)
	t.Repeat(rapid.StateMachineActions(x))
	x.rest(t)
}
