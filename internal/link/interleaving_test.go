package link_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/google/uuid"
)

// betweenClaimAndCall is the real store with one thing happening right after a
// refresh was claimed.
type betweenClaimAndCall struct {
	link.Store
	happens func()
}

func (s betweenClaimAndCall) ClaimRefresh(ctx context.Context, user uuid.UUID, seen int64, owner uuid.UUID, lease time.Duration) (link.RefreshClaim, bool, error) {
	c, claimed, err := s.Store.ClaimRefresh(ctx, user, seen, owner, lease)
	s.happens()
	return c, claimed, err
}

func (w *world) replicaWhere(happens func()) *link.Service {
	w.t.Helper()
	store := betweenClaimAndCall{postgres.NewLinks(w.db.DB), happens}
	vault, err := link.OpenVault(context.Background(), store, w.keys)
	if err != nil {
		w.t.Fatal(err)
	}
	s := link.New(store, w.options(), link.DefaultBudget, vault, postgres.NewLimits(w.db.Gorm), slog.New(slog.DiscardHandler))
	w.t.Cleanup(s.Close)
	return s
}

func TestRelinkBetweenClaimAndCallIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.advance(25 * time.Hour)
	var relinked int64
	s := w.replicaWhere(func() {
		w.start("plain")
		relinked = w.generation()
	})
	if _, err := s.Validate(context.Background(), w.act()); err != nil {
		t.Fatal(err)
	}
	if w.garmin.Calls(garmintest.OpRefresh) != 0 || w.generation() != relinked {
		t.Errorf("%d refreshes; generation %d, relinked with %d", w.garmin.Calls(garmintest.OpRefresh), w.generation(), relinked)
	}
}

func TestUnlinkBetweenClaimAndCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.advance(25 * time.Hour)
	s := w.replicaWhere(func() {
		if err := w.links.Unlink(context.Background(), w.act()); err != nil {
			t.Error(err)
		}
	})
	_, err := s.Validate(context.Background(), w.act())
	wantKind(t, err, link.NotLinked)
}

func TestCallerDoesNotWaitForARefreshLongerThanHeWants(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.advance(25 * time.Hour)
	release := w.garmin.Hold(garmintest.OpRefresh)
	ctx, leave := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() {
		_, err := w.links.Validate(ctx, w.act())
		result <- err
	}()
	w.awaitCalls(garmintest.OpRefresh, 1)
	leave()
	wantKind(t, <-result, link.Unavailable) // though Garmin has not answered yet
	release()
	w.links.Close() // waits for the refresh, which is saved all the same
	if l := w.view(); l.RefreshedAt.IsZero() {
		t.Error("the refresh was lost")
	}
}

func TestOthersShareARefreshThatFailed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.advance(25 * time.Hour)
	release := w.garmin.Hold(garmintest.OpRefresh)
	w.garmin.Fail(garmintest.OpRefresh, garmintest.ServerError, 0)
	results := make(chan error, 3)
	ask := func(s *link.Service) {
		_, err := s.Validate(context.Background(), w.act())
		results <- err
	}
	go ask(w.links)
	w.awaitCalls(garmintest.OpRefresh, 1)
	waiting := w.replicaWhere(release) // lets go only once this one has lost the claim
	go ask(waiting)
	for range 2 {
		wantKind(t, <-results, link.Unavailable)
	}
	if n := w.garmin.Calls(garmintest.OpRefresh); n != 1 {
		t.Errorf("%d refreshes", n)
	}
}

func TestSecondTabHearsOfTheCandidateToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	id := w.start("mfa").Challenge.ID
	for range 2 {
		l, err := w.links.SubmitCode(context.Background(), w.act(), id, "123456")
		if err != nil || l.Candidate == nil {
			t.Errorf("candidate %+v, %v", l.Candidate, err)
		}
	}
}

func TestCodeDuringAResendIsNotTried(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("mfa")
	w.advance(31 * time.Second)
	release := w.garmin.Hold(garmintest.OpResend)
	done := make(chan error, 2)
	go func() {
		_, err := w.links.ResendCode(context.Background(), w.act(), uuid.Nil)
		done <- err
	}()
	w.awaitCalls(garmintest.OpResend, 1)
	_, err := w.links.ResendCode(context.Background(), w.act(), uuid.Nil)
	wantKind(t, err, link.InProgress)
	release()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if _, err := w.code("123456"); err != nil {
		t.Fatal(err)
	}
}

func TestOneFormIsOneLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := credentials("mfa")
	c.Form = uuid.New()
	var challenges [2]uuid.UUID
	for i := range challenges {
		l, err := w.links.Start(context.Background(), w.act(), c)
		if err != nil {
			t.Fatal(err)
		}
		challenges[i] = l.Challenge.ID
	}
	if challenges[0] != challenges[1] || w.garmin.Calls(garmintest.OpLogin) != 1 {
		t.Errorf("challenges %v after %d logins", challenges, w.garmin.Calls(garmintest.OpLogin))
	}
}

func TestAFormThatFailedMayBeSentAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := credentials("plain")
	c.Form, c.Password = uuid.New(), "wrong"
	_, err := w.links.Start(context.Background(), w.act(), c)
	wantKind(t, err, link.WrongPassword)
	c.Password = garmintest.DemoPassword
	if _, err := w.links.Start(context.Background(), w.act(), c); err != nil {
		t.Fatal(err)
	}
}

// justMissed is the real store with one thing happening right after a check-out
// found no fresh session.
type justMissed struct {
	link.Store
	happens func()
}

func (s justMissed) CheckOut(ctx context.Context, act link.Act, c link.CheckOut) (link.Lent, error) {
	lent, err := s.Store.CheckOut(ctx, act, c)
	if !lent.Given {
		s.happens()
	}
	return lent, err
}

func TestRefreshOfAnotherRightAfterAMissIsTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.advance(25 * time.Hour)
	var refreshed link.CheckedOut
	store := justMissed{postgres.NewLinks(w.db.DB), func() { refreshed = w.mustCheckOut(garth) }}
	out, err := w.serviceOn(w.connect(w.db.URL), store, slog.New(slog.DiscardHandler)).CheckOut(t.Context(), w.program(), garth)
	if err != nil {
		t.Fatal(err)
	}
	if out.Generation != refreshed.Generation || w.refreshed() != 1 {
		t.Errorf("generation %d was given out of %d, after %d refreshes", out.Generation, refreshed.Generation, w.refreshed())
	}
}
