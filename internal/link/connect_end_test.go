package link_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
)

// during runs end while Garmin is asked for a login under v, and returns how
// that went.
func (v *visit) during(end func()) error {
	v.t.Helper()
	release := v.garmin.Hold(garmintest.OpLogin)
	done := make(chan error)
	go func() { _, err := v.tryStart("plain"); done <- err }()
	v.awaitCalls(garmintest.OpLogin, 1)
	end()
	release()
	return <-done
}

func TestVisitEndsAfterHalfAnHour(t *testing.T) {
	t.Parallel()
	v := newHost(t).bound(link.ToLink)
	v.advance(30 * time.Minute)
	v.wantStatus(link.ConnectExpired)
	_, err := v.bind(firstForm, v.browser)
	wantKind(t, err, link.ConnectOver)
	_, err = v.links.Return(context.Background(), v.act, 0)
	wantKind(t, err, link.NotLinked)
	address, err := v.links.Leave(context.Background(), v.act)
	if err != nil || v.read(address).Get("error") != "expired" {
		t.Errorf("the way back is %v", err)
	}
	v.wantStatus(link.ConnectExpired)
}

// Who has begun in time gets there, and his host has the time to complete it.
func TestLoginAtTheLastMomentCounts(t *testing.T) {
	t.Parallel()
	v := newHost(t).bound(link.ToLink)
	v.advance(29 * time.Minute)
	if err := v.during(func() { v.advance(2 * time.Minute) }); err != nil {
		t.Fatal(err)
	}
	code := v.back().Get("code")
	v.advance(8 * time.Minute)
	if _, err := v.complete(code); err != nil {
		t.Error(err)
	}
	v.wantState("active")
}

// A code that was asked for in time may be typed for as long as it lives.
func TestCodeOfTheLastMomentMayBeTypedLater(t *testing.T) {
	t.Parallel()
	begun := func() *visit {
		v := newHost(t).bound(link.ToLink)
		v.advance(29 * time.Minute)
		v.start("mfa")
		v.advance(8 * time.Minute)
		v.wantStatus(link.ConnectOpen)
		return v
	}
	v := begun()
	if c, err := v.links.BoundConnect(context.Background(), v.browser); err != nil || c.Over() || c.Begins() {
		t.Errorf("over: %t, begins: %t, %v", c.Over(), c.Begins(), err)
	}
	if _, err := v.links.SubmitCode(context.Background(), v.act, uuid.Nil, garmintest.DemoCode); err != nil {
		t.Fatal(err)
	}
	if _, err := v.complete(v.back().Get("code")); err != nil {
		t.Error(err)
	}
	v.wantState("active")

	v = begun()
	v.leave("error", "cancelled")
	v.wantNothingLeft(link.ConnectCancelled)

	v = begun()
	if _, err := v.links.Cancel(context.Background(), v.act); err != nil {
		t.Fatal(err)
	}
	v.wantNothingLeft(link.ConnectExpired)
}

// The code that its host may hold completes nothing any more.
func TestLaterLoginElsewhereEndsTheVisit(t *testing.T) {
	t.Parallel()
	for name, other := range map[string]func(*visit) error{
		"under another visit": func(v *visit) error { _, err := v.bound(link.ToLink).tryStart("plain"); return err },
		"of his own": func(v *visit) error {
			_, err := v.links.Start(context.Background(), v.world.act(), credentials("plain"))
			return err
		},
		"up to a code": func(v *visit) error { _, err := v.bound(link.ToLink).tryStart("mfa"); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newHost(t).bound(link.ToLink)
			v.start("plain")
			code := v.back().Get("code")
			if err := other(v); err != nil {
				t.Fatal(err)
			}
			v.wantStatus(link.ConnectSuperseded)
			_, err := v.complete(code)
			wantKind(t, err, link.ConnectOver)
		})
	}
}

func TestCandidateOfAVisitEndsWithIt(t *testing.T) {
	t.Parallel()
	v := newHost(t).bound(link.ToLink)
	v.start("plain")
	code := v.back().Get("code")
	v.advance(40 * time.Minute)
	v.wantStatus(link.ConnectExpired)
	_, err := v.complete(code)
	wantKind(t, err, link.ConnectOver)
	if n, err := v.links.Lapse(context.Background(), link.Act{By: link.BySystem}, 10); err != nil || n > 1 {
		t.Errorf("lapsed %d, %v", n, err)
	}
	if n := one[int](v.world, "SELECT count(*) FROM garmin_candidates"); n != 0 {
		t.Error("the candidate is still there")
	}
}

// Ends of a visit from elsewhere: whatever comes of it afterwards is thrown
// away, and nothing is left that could open the account.
func TestEndedVisitTakesNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end    func(*visit)
		status link.ConnectStatus
	}{
		"unlinked": {func(v *visit) {
			if err := v.links.Unlink(context.Background(), v.world.act()); err != nil {
				v.t.Error(err)
			}
		}, link.ConnectSuperseded},
		"left": {func(v *visit) {
			address, err := v.links.Leave(context.Background(), v.act)
			if err != nil || v.read(address).Get("error") != "cancelled" {
				v.t.Errorf("the way back is %v", err)
			}
		}, link.ConnectCancelled},
		"much too late": {func(v *visit) { v.advance(40 * time.Minute) }, link.ConnectExpired},
	} {
		t.Run(name+" while Garmin is asked", func(t *testing.T) {
			t.Parallel()
			v := newHost(t).bound(link.ToLink)
			wantKind(t, v.during(func() { c.end(v) }), link.Superseded)
			v.wantNothingLeft(c.status)
		})
		t.Run(name+" before a code", func(t *testing.T) {
			t.Parallel()
			v := newHost(t).bound(link.ToLink)
			v.start("mfa")
			c.end(v)
			if _, err := v.links.SubmitCode(context.Background(), v.act, uuid.Nil, garmintest.DemoCode); err == nil {
				t.Error("the code was taken")
			}
			v.wantNothingLeft(c.status)
		})
		t.Run(name+" before the host completes", func(t *testing.T) {
			t.Parallel()
			v := newHost(t).bound(link.ToLink)
			v.start("plain")
			code := v.back().Get("code")
			c.end(v)
			_, err := v.complete(code)
			wantKind(t, err, link.ConnectOver)
			v.wantNothingLeft(c.status)
		})
	}
}

func (v *visit) wantNothingLeft(status link.ConnectStatus) {
	v.t.Helper()
	v.wantStatus(status)
	v.wantState("not_linked")
	if n := one[int](v.world, "SELECT (SELECT count(*) FROM garmin_candidates) + (SELECT count(*) FROM garmin_challenges)"); n != 0 {
		v.t.Errorf("%d candidates and challenges are left", n)
	}
}

// leave checks with what the browser is sent back.
func (v *visit) leave(parameter, want string) {
	v.t.Helper()
	address, err := v.links.Leave(context.Background(), v.act)
	if err != nil {
		v.t.Fatal(err)
	}
	if got := v.read(address).Get(parameter); got != want {
		v.t.Errorf("goes back with %s %q, want %q", parameter, got, want)
	}
}

// Its candidate outlives the half hour, and so does its user's no.
func TestLeavingInTheLastMinutesGivesTheCandidateUp(t *testing.T) {
	t.Parallel()
	v := newHost(t).bound(link.ToLink)
	v.advance(25 * time.Minute)
	v.start("plain")
	v.advance(6 * time.Minute)
	v.leave("error", "cancelled")
	v.wantNothingLeft(link.ConnectCancelled)
}

func TestUnlinkingEndsTheVisitsOfThatUserAlone(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	open, bound := h.create(link.ToLink), h.bound(link.ToLink)
	former := h.user
	h.user = h.newUser("second@example.com")
	others := h.bound(link.ToLink)
	if err := h.links.Unlink(context.Background(), link.Act{User: former, By: link.ByWorker, Token: h.token}); err != nil {
		t.Fatal(err)
	}
	open.wantStatus(link.ConnectSuperseded)
	bound.wantStatus(link.ConnectSuperseded)
	others.wantStatus(link.ConnectOpen)
	_, err := open.bind(firstForm, "")
	wantKind(t, err, link.ConnectOver)
}

func TestCancelledChallengeLeavesTheVisitOpen(t *testing.T) {
	t.Parallel()
	v := newHost(t).bound(link.ToLink)
	v.start("mfa")
	if _, err := v.links.Cancel(context.Background(), v.act); err != nil {
		t.Fatal(err)
	}
	v.wantStatus(link.ConnectOpen)
	v.advance(time.Minute)
	v.start("plain")
	v.wantStatus(link.ConnectLinked)
}

func TestVisitsAreForgottenAfterAWeek(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	old := h.create(link.ToLink)
	h.advance(6 * 24 * time.Hour)
	young := h.create(link.ToLink)
	for _, days := range []time.Duration{0, 2} {
		h.advance(days * 24 * time.Hour)
		if err := h.links.Clean(context.Background()); err != nil {
			t.Fatal(err)
		}
		_, err := h.links.ConnectOf(context.Background(), old.id)
		if gone := err != nil; gone != (days > 0) {
			t.Errorf("after %d days more: %v", days, err)
		}
	}
	young.wantStatus(link.ConnectExpired)
}
