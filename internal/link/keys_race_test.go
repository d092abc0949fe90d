package link_test

import (
	"context"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
)

// A refresh puts the session that it has read back, as the previous one: it
// must not bring the former key back after the rewrap is through.
func TestRewrapAndRefreshLoseNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.member("one")
	w.links = m.Service
	w.start("plain")
	w.exec("UPDATE garmin_authentication_states SET session_expires_at = app_now()")
	both, alone, added := w.grown()
	w.deploy(both, m)

	release := w.garmin.Hold(garmintest.OpRefresh)
	w.garmin.Fail(garmintest.OpProfile, garmintest.ServerError, 1) // the previous session stays
	result := make(chan error, 1)
	go func() {
		_, err := w.validate()
		result <- err
	}()
	w.awaitCalls(garmintest.OpRefresh, 1)
	if err := w.promote(both, added); err != nil {
		t.Fatal(err)
	}
	m.beat(t)
	if pass := w.rewrap(both); pass.Busy != 1 || pass.Done != 1 {
		t.Errorf("beside the refresh the pass is %+v", pass)
	}
	release()
	wantKind(t, <-result, link.Unavailable)
	w.wantUses(
		link.KeyUse{Key: w.keys.Primary(), In: link.HeldPrevious, Rows: 1},
		link.KeyUse{Key: added, In: link.HeldMACKey, Rows: 1},
		link.KeyUse{Key: added, In: link.HeldSession, Rows: 1},
	)
	if pass := w.rewrap(both); pass.Done != 1 {
		t.Errorf("after the refresh the pass is %+v", pass)
	}
	w.deploy(alone, m)
	if _, err := w.validate(); err != nil {
		t.Error(err)
	}
	if n := w.garmin.Calls(garmintest.OpRefresh); n != 1 {
		t.Errorf("Garmin was asked %d times to refresh", n)
	}
}

// beforeReseal is the real store with one thing happening right before a value
// is put back.
type beforeReseal struct {
	link.Store
	happens func(link.Held)
}

func (s beforeReseal) Reseal(ctx context.Context, old link.Held, fresh link.Sealed) (bool, error) {
	s.happens(old)
	return s.Store.Reseal(ctx, old, fresh)
}

func TestWhatChangedSinceItWasReadIsNotPutBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		happens func(w *world)
		state   string
	}{
		"a new session": {func(w *world) { w.start("plain") }, "active"},
		"a refresh": {func(w *world) {
			w.advance(25 * time.Hour)
			if _, err := w.validate(); err != nil {
				w.t.Error(err)
			}
		}, "active"},
		"an unlink": {func(w *world) {
			if err := w.links.Unlink(context.Background(), w.act()); err != nil {
				w.t.Error(err)
			}
		}, "not_linked"},
		"the user is gone": {func(w *world) {
			w.exec("DELETE FROM users WHERE id = $1", w.user)
		}, "not_linked"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.start("plain")
			both, _, added := w.grown()
			if err := w.promote(both, added); err != nil {
				t.Fatal(err)
			}
			store := beforeReseal{postgres.NewLinks(w.db.DB), func(h link.Held) {
				if h.In == link.HeldSession {
					c.happens(w)
				}
			}}
			vault, err := link.OpenVault(context.Background(), store, both)
			if err != nil {
				t.Fatal(err)
			}
			pass, err := vault.Rewrap(context.Background(), store, func(link.Rewrapped) {})
			if err != nil || pass.Busy != 1 || pass.Done != 1 {
				t.Errorf("the pass is %+v, %v", pass, err)
			}
			w.wantState(c.state)
			if c.state == "active" {
				if _, err := w.validate(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// A wrong code leaves the challenge with other cookies: those count.
func TestRewrapKeepsWhatAChallengeHasLearnt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("mfa")
	both, alone, added := w.grown()
	if err := w.promote(both, added); err != nil {
		t.Fatal(err)
	}
	store := beforeReseal{postgres.NewLinks(w.db.DB), func(h link.Held) {
		if h.In == link.HeldChallenge {
			_, err := w.code("000000")
			wantKind(t, err, link.WrongCode)
		}
	}}
	vault, err := link.OpenVault(context.Background(), store, both)
	if err != nil {
		t.Fatal(err)
	}
	if pass, err := vault.Rewrap(context.Background(), store, func(link.Rewrapped) {}); err != nil || pass.Busy != 1 {
		t.Errorf("the pass is %+v, %v", pass, err)
	}
	w.rewrap(both)
	w.keys = alone
	w.links = w.replica()
	if _, err := w.code(garmintest.DemoCode); err != nil {
		t.Error(err)
	}
	if session := w.generation(); session == 0 {
		t.Error("no session came of it")
	}
}
