package link_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
)

func (w *world) validate() (link.Link, error) {
	return w.links.Validate(context.Background(), w.act())
}

func (w *world) generation() int64 {
	w.t.Helper()
	return one[int64](w, "SELECT generation FROM garmin_authentication_states WHERE user_id = $1", w.user)
}

func TestValidateMovesLastValidatedAndNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.start("plain")
	generation := w.generation()
	w.advance(time.Hour)
	after, err := w.validate()
	if err != nil {
		t.Fatal(err)
	}
	if got := after.LastValidated.Sub(before.LastValidated); got < time.Hour {
		t.Errorf("last_validated moved by %s", got)
	}
	if w.generation() != generation || w.garmin.Calls(garmintest.OpRefresh) != 0 {
		t.Error("a session that works was refreshed")
	}
}

func TestValidateWithoutALink(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.validate()
	wantKind(t, err, link.NotLinked)
}

func TestExpiredTokenIsRefreshed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	generation := w.generation()
	w.advance(25 * time.Hour)
	l, err := w.validate()
	if err != nil {
		t.Fatal(err)
	}
	if w.generation() <= generation || l.RefreshedAt.IsZero() {
		t.Errorf("generation %d after %d, refreshed %s", w.generation(), generation, l.RefreshedAt)
	}
	if n := one[int](w, "SELECT count(*) FROM garmin_authentication_states WHERE previous_session IS NOT NULL OR intent_generation IS NOT NULL OR lease_owner IS NOT NULL"); n != 0 {
		t.Error("the refresh left something behind after it had worked")
	}
}

func TestTransientFaultsChangeNoState(t *testing.T) {
	t.Parallel()
	faults := map[string]garmintest.Fault{
		"502": garmintest.ServerError, "reset": garmintest.Reset, "edge": garmintest.EdgeBlocked,
		"429": garmintest.AddressLimited(time.Minute), "not JSON": garmintest.NonJSON, "truncated": garmintest.Truncated,
	}
	for _, op := range []garmintest.Op{garmintest.OpProfile, garmintest.OpRefresh} {
		for name, fault := range faults {
			t.Run(string(op)+"/"+name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				before := w.start("plain")
				if op == garmintest.OpRefresh {
					w.advance(25 * time.Hour)
				}
				w.garmin.Fail(op, fault, 1)
				if _, err := w.validate(); link.KindOf(err) == "" || link.KindOf(err) == link.ReauthNeeded {
					t.Fatalf("error is %v", err)
				}
				if l := w.wantState("active"); !l.LastValidated.Equal(before.LastValidated) {
					t.Error("last_validated moved without proof")
				}
			})
		}
	}
}

func TestDeadGrantAsksForTheUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.garmin.RevokeAccount("plain@garmin.example")
	_, err := w.validate()
	wantKind(t, err, link.ReauthNeeded)
	l := w.wantState("reauth_needed")
	if l.Reason != link.GrantRefused || l.GarminEmail != "plain@garmin.example" {
		t.Errorf("link is %+v", l)
	}
	w.wantEvents("login_done: not_linked -> active", "rejected: active -> reauth_needed")
	_, err = w.validate()
	wantKind(t, err, link.ReauthNeeded)
	w.start("plain")
	w.wantState("active")
}

// Exactly one refresh reaches Garmin, however many ask and on however many replicas.
func TestOneRefreshForAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.advance(25 * time.Hour)
	release := w.garmin.Hold(garmintest.OpRefresh)
	var all sync.WaitGroup
	for _, s := range []*link.Service{w.links, w.replica(), w.replica()} {
		for range 10 {
			all.Go(func() {
				if _, err := s.Validate(context.Background(), w.act()); err != nil {
					t.Error(err)
				}
			})
		}
	}
	w.awaitCalls(garmintest.OpRefresh, 1)
	release()
	all.Wait()
	if n := w.garmin.Calls(garmintest.OpRefresh); n != 1 {
		t.Errorf("%d refreshes reached Garmin", n)
	}
}

// The answer is lost after Garmin rotated the token: the link cannot be saved,
// but that is believed only at the second look.
func TestRefusalAfterALostAnswerIsDoubtedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.advance(25 * time.Hour)
	w.garmin.Fail(garmintest.OpRefresh, garmintest.AnswerLost, 1)
	_, err := w.validate()
	wantKind(t, err, link.Unavailable)
	_, err = w.validate() // refused: but our own lost answer may be the reason
	wantKind(t, err, link.Unavailable)
	w.wantState("active")
	_, err = w.validate()
	wantKind(t, err, link.Unavailable)
	w.advance(2*time.Minute + time.Second)
	_, err = w.validate()
	wantKind(t, err, link.ReauthNeeded)
	w.wantState("reauth_needed")
}

// With grace at Garmin's side the same crash costs nothing.
func TestLostAnswerIsHarmlessWhileGarminTakesTheOldToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.garmin.RefreshGrace = time.Hour
	w.start("plain")
	w.advance(25 * time.Hour)
	w.garmin.Fail(garmintest.OpRefresh, garmintest.AnswerLost, 1)
	_, err := w.validate()
	wantKind(t, err, link.Unavailable)
	if _, err := w.validate(); err != nil {
		t.Fatal(err)
	}
}

func TestARefreshThatComesBackAfterARelinkIsThrownAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.advance(25 * time.Hour)
	release := w.garmin.Hold(garmintest.OpRefresh)
	result := make(chan error, 1)
	go func() {
		_, err := w.validate()
		result <- err
	}()
	w.awaitCalls(garmintest.OpRefresh, 1)
	w.start("plain")
	relinked := w.generation()
	release()
	if err := <-result; err != nil {
		t.Errorf("the validation did not adopt the newer session: %v", err)
	}
	if w.generation() != relinked {
		t.Error("the refresh overwrote the user's own login")
	}
}

func TestUnlinkDuringARefreshWins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.advance(25 * time.Hour)
	release := w.garmin.Hold(garmintest.OpRefresh)
	result := make(chan error, 1)
	go func() {
		_, err := w.validate()
		result <- err
	}()
	w.awaitCalls(garmintest.OpRefresh, 1)
	if err := w.links.Unlink(context.Background(), w.act()); err != nil {
		t.Fatal(err)
	}
	release()
	wantKind(t, <-result, link.NotLinked)
	w.wantState("not_linked")
}

func TestAPIThatRefusesFreshTokensForThreeHours(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.garmin.Fail(garmintest.OpProfile, garmintest.Unauthorized, 0)
	for range 3 {
		_, err := w.validate()
		wantKind(t, err, link.Unavailable)
		w.wantState("active")
		w.advance(time.Hour + time.Minute)
	}
	_, err := w.validate()
	wantKind(t, err, link.ReauthNeeded)
	if l := w.wantState("reauth_needed"); l.Reason != link.TokenRefusal {
		t.Errorf("reason is %s", l.Reason)
	}
}

func TestOneGoodAnswerEndsTheAPIsRefusal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.garmin.Fail(garmintest.OpProfile, garmintest.Unauthorized, 4)
	_, err := w.validate()
	wantKind(t, err, link.Unavailable)
	if _, err := w.validate(); err != nil {
		t.Fatal(err)
	}
	w.advance(4 * time.Hour)
	w.garmin.Fail(garmintest.OpProfile, garmintest.Unauthorized, 4)
	_, err = w.validate()
	wantKind(t, err, link.Unavailable)
	w.wantState("active")
}
