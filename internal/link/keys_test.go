package link_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/seal"
)

func TestReplicaIsSeenUntilItLeavesOrDies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.member("one")
	w.advance(30 * time.Second)
	two := w.member("two")
	all := w.status().Replicas
	if len(all) != 2 || all[0].Host != "one" || all[1].Host != "two" || all[1].Version != "v1" ||
		all[1].SealingKey != w.keys.Primary() || !slices.Equal(all[1].Keys, w.keys.IDs()) || all[0].ID == all[1].ID {
		t.Fatalf("replicas are %+v", all)
	}
	w.advance(45 * time.Second)
	if all = w.status().Replicas; len(all) != 1 || all[0].Host != "two" {
		t.Errorf("after 75 s and 45 s alive are %v", all)
	}
	two.beat(t)
	if n := one[int](w, "SELECT count(*) FROM replicas"); n != 1 {
		t.Error("a dead replica is kept")
	}
	first.beat(t)
	if n := len(w.status().Replicas); n != 2 {
		t.Error("a replica that was taken for dead is not seen again")
	}

	ended, end := context.WithCancel(context.Background())
	end()
	first.heart.Run(ended)
	if all = w.status().Replicas; len(all) != 1 || all[0].Host != "two" {
		t.Errorf("after the end of one, alive are %v", all)
	}
}

func TestPromotionWaitsForEveryReplica(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := w.member("one"), w.member("two")
	both, _, added := w.grown()
	w.deploy(both, one)
	lacking, ok := errors.AsType[*link.KeyLacking](w.promote(both, added))
	if !ok || len(lacking.Replicas) != 1 || lacking.Replicas[0].Host != "two" {
		t.Fatalf("lacking are %+v", lacking)
	}
	lacking, ok = errors.AsType[*link.KeyLacking](w.promote(w.keys, added))
	if !ok || len(lacking.Replicas) != 0 {
		t.Fatalf("without the key itself: %+v", lacking)
	}
	if w.status().Sealing != w.keys.Primary() {
		t.Fatal("a refused promotion has changed something")
	}
	w.deploy(both, two)
	if err := w.promote(both, added); err != nil {
		t.Fatal(err)
	}
	if got := w.status().Sealing; got != added {
		t.Errorf("key %d seals, want %d", got, added)
	}
}

func TestPromotedKeySealsAfterOneBeat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.member("one")
	both, _, added := w.grown()
	w.deploy(both, m)
	if err := w.promote(both, added); err != nil {
		t.Fatal(err)
	}
	if got := w.status().Sealers(w.keys.Primary()); len(got) != 1 {
		t.Errorf("with the former key seal %v", got)
	}
	m.beat(t)
	if got := w.status().Sealers(added); len(got) != 1 {
		t.Errorf("with the promoted key seal %v", got)
	}
	w.links = m.Service
	w.start("plain")
	w.wantUses(
		link.KeyUse{Key: w.keys.Primary(), In: link.HeldMACKey, Rows: 1},
		link.KeyUse{Key: added, In: link.HeldSession, Rows: 1},
	)
}

// A replica that was not seen when the promotion was decided.
func TestReplicaWithoutThePromotedKeyGoesOnWithTheFormer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.member("late")
	both, _, added := w.grown()
	w.exec("DELETE FROM replicas")
	if err := w.promote(both, added); err != nil {
		t.Fatal(err)
	}
	if err := m.heart.Beat(context.Background()); !errors.Is(err, link.ErrWrongKeyset) || !errors.Is(err, seal.ErrKeyMissing) {
		t.Fatalf("Beat = %v", err)
	}
	if !m.vault.Behind() {
		t.Error("the replica says that it is up to date")
	}
	w.links = m.Service
	w.start("plain")
	w.advance(20 * time.Hour)
	if err := w.check(); link.KindOf(err) != link.Unavailable || w.due() != 1 || w.garmin.Calls(garmintest.OpRefresh) != 0 {
		t.Errorf("the replica takes a job: %v", err)
	}
	if err := m.heart.Beat(context.Background()); !errors.Is(err, link.ErrWrongKeyset) { // or it counts as dead
		t.Error(err)
	}
	if got := w.status().Lackers(added); len(got) != 1 || got[0].SealingKey != w.keys.Primary() {
		t.Errorf("lacking are %+v", got)
	}
	w.deploy(both, m)
	if _, err := w.validate(); err != nil || m.vault.Behind() {
		t.Errorf("behind: %t, %v", m.vault.Behind(), err)
	}
}

func TestKeysetThatDoesNotFitIsNotTakenOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.member("one")
	w.links = m.Service
	w.start("plain")
	both, alone, added := w.grown()
	w.deploy(both, m)
	if err := w.promote(both, added); err != nil {
		t.Fatal(err)
	}
	m.beat(t)
	foreign, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	for name, ring := range map[string]*seal.Keyring{
		"foreign": ringOf(t, foreign), "without the key that seals": w.keys, "without a key that is needed": alone,
	} {
		m.deployed.Store(ring)
		if err := m.heart.Beat(context.Background()); !errors.Is(err, link.ErrWrongKeyset) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := w.validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := w.status().Replicas; len(got) != 1 || !slices.Equal(got[0].Keys, both.IDs()) {
		t.Errorf("replicas are %+v", got)
	}
}

// What cannot be read says nothing about the session: its user is not asked to
// sign in again, and it works once the key is back.
func TestMissingKeyIsNoReasonToSignInAgain(t *testing.T) {
	t.Parallel()
	for name, age := range map[string]time.Duration{"fresh": 0, "to be refreshed": 25 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.start("plain")
			w.advance(age)
			both, alone, added := w.grown()
			if err := w.promote(both, added); err != nil {
				t.Fatal(err)
			}
			w.exec("UPDATE garmin_authentication_states SET key_id = 4711 WHERE user_id = $1", w.user) // out of the way
			w.rewrap(both)
			w.exec("UPDATE garmin_authentication_states SET key_id = $1", w.keys.Primary())

			keys := w.keys
			w.keys = alone
			w.links = w.replica()
			_, err := w.validate()
			if !errors.Is(err, seal.ErrKeyMissing) || link.KindOf(err) != "" {
				t.Fatalf("Validate = %v", err)
			}
			w.wantState("active")
			if got := w.status().Unopenable(alone); len(got) != 1 || got[0] != (link.KeyUse{Key: keys.Primary(), In: link.HeldSession, Rows: 1}) {
				t.Errorf("unopenable are %v", got)
			}

			w.keys = both
			w.links = w.replica()
			if _, err := w.validate(); err != nil {
				t.Error(err)
			}
			w.wantState("active")
			w.wantEvents("login_done: not_linked -> active")
		})
	}
}

func TestUserCanLinkAnewOverWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.exec("UPDATE garmin_authentication_states SET key_id = 4711")
	w.start("plain")
	if _, err := w.validate(); err != nil {
		t.Error(err)
	}
	w.exec("UPDATE garmin_authentication_states SET key_id = 4711")
	if err := w.links.Unlink(context.Background(), w.act()); err != nil {
		t.Error(err)
	}
}

func TestKeyIsSpareOnceNothingNeedsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.member("one")
	both, _, added := w.grown()
	first := w.keys.Primary()
	w.deploy(both, m)
	w.start("plain")
	spare := func() *link.KeyNeeded {
		needed, _ := errors.AsType[*link.KeyNeeded](w.status().Spare(first))
		return needed
	}
	if n := spare(); n == nil || !n.Seals || len(n.Uses) != 2 || len(n.Sealers) != 1 {
		t.Fatalf("at first: %+v", n)
	}
	if err := w.promote(both, added); err != nil {
		t.Fatal(err)
	}
	if n := spare(); n == nil || n.Seals || len(n.Uses) != 2 || len(n.Sealers) != 1 {
		t.Fatalf("promoted: %+v", n)
	}
	w.rewrap(both)
	if n := spare(); n == nil || len(n.Uses) != 0 || len(n.Sealers) != 1 {
		t.Fatalf("re-sealed: %+v", n)
	}
	m.beat(t)
	if n := spare(); n != nil {
		t.Fatalf("in the end: %+v", n)
	}
}

func TestKeysOfADatabaseThatWasNeverStarted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec("DELETE FROM installation")
	if _, err := link.ReadKeyStatus(context.Background(), postgres.NewLinks(w.db.DB)); !errors.Is(err, link.ErrNotFound) {
		t.Errorf("ReadKeyStatus = %v", err)
	}
}

func TestKeysetWithoutTheSealingKeyIsRefusedAtStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec("UPDATE installation SET sealing_key_id = 4711")
	if _, err := link.OpenVault(context.Background(), postgres.NewLinks(w.db.DB), w.keys); err == nil {
		t.Error("a replica that cannot seal has started")
	}
}
