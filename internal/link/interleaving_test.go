package link_test

import (
	"context"
	"fmt"
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

func TestUnlinkDoesNotHideWrongPasswords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := credentials("plain")
	c.Password = "wrong"
	for i := range 10 {
		release := w.garmin.Hold(garmintest.OpLogin)
		result := make(chan error, 1)
		go func() {
			_, err := w.links.Start(context.Background(), w.act(), c)
			result <- err
		}()
		w.awaitCalls(garmintest.OpLogin, i+1)
		if err := w.links.Unlink(context.Background(), w.act()); err != nil {
			t.Fatal(err)
		}
		release()
		wantKind(t, <-result, link.WrongPassword)
	}
	_, err := w.links.Start(context.Background(), w.act(), c)
	wantKind(t, err, link.TooManyFailures)
}

func TestCodesAreNotMailedWithoutEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 20 {
		w.start("mfa")
		if _, err := w.links.Cancel(context.Background(), w.act()); err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.links.Start(context.Background(), w.act(), credentials("mfa"))
	wantKind(t, err, link.TooManyFailures)
}

func TestKeysetWithoutTheSealingKeyIsRefusedAtStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec("UPDATE installation SET sealing_key_id = 4711")
	if _, err := link.OpenVault(context.Background(), postgres.NewLinks(w.db.DB), w.keys); err == nil {
		t.Error("a replica that cannot seal has started")
	}
}

func TestTokensWithoutAStatedEndAreKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.advance(25 * time.Hour)
	w.garmin.Fail(garmintest.OpRefresh, garmintest.Respond(200, "application/json",
		`{"access_token":"opaque","refresh_token":"rotated","token_type":"Bearer","scope":"x","jti":"y"}`), 1)
	_, err := w.validate() // the simulation does not know the token
	wantKind(t, err, link.Unavailable)
	if l := w.wantState("active"); l.RefreshedAt.IsZero() || !l.ExpiresAt.After(l.AsOf) {
		t.Errorf("link is %+v", l)
	}
}

func TestOneAccountsLimitIsNobodyElses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.garmin.Fail(garmintest.OpProfile, garmintest.ClientLimited(429, 0), 1)
	_, err := w.validate()
	wantKind(t, err, link.TokensLimited)
	w.user = w.newUser("other@example.com")
	w.start("mfa")
}

func TestCodesWaitForTheCoolDownToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("mfa")
	mine := w.act()
	w.user = w.newUser("other@example.com")
	w.garmin.Fail(garmintest.OpLogin, garmintest.AddressLimited(time.Hour), 1)
	_, err := w.links.Start(context.Background(), w.act(), credentials("plain"))
	wantKind(t, err, link.RateLimited)
	w.advance(31 * time.Second)
	_, err = w.links.SubmitCode(context.Background(), mine, uuid.Nil, "123456")
	wantKind(t, err, link.RateLimited)
	_, err = w.links.ResendCode(context.Background(), mine, uuid.Nil)
	wantKind(t, err, link.RateLimited)
	if n := w.garmin.Calls(garmintest.OpVerify) + w.garmin.Calls(garmintest.OpResend); n != 0 {
		t.Errorf("Garmin was asked %d times", n)
	}
}

func TestTwoBlipsADayApartAreNoDeath(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	for range 2 {
		w.garmin.Fail(garmintest.OpProfile, garmintest.Unauthorized, 4)
		_, err := w.validate()
		wantKind(t, err, link.Unavailable)
		w.advance(24 * time.Hour)
	}
	if _, err := w.validate(); err != nil {
		t.Fatal(err)
	}
}

func TestCheckingWhileTheAPIRefusesDoesNotRotateTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.garmin.Fail(garmintest.OpProfile, garmintest.Unauthorized, 0)
	for range 3 {
		_, err := w.validate()
		wantKind(t, err, link.Unavailable)
	}
	if n := w.garmin.Calls(garmintest.OpRefresh); n != 1 {
		t.Errorf("%d refreshes", n)
	}
}

func TestCandidateBringsItsOwnProof(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.start("mfa")
	if _, err := w.code("123456"); err != nil {
		t.Fatal(err)
	}
	proved := w.view().AsOf
	w.advance(9 * time.Minute)
	l, err := w.links.Replace(context.Background(), w.act(), 0, true)
	if err != nil {
		t.Fatal(err)
	}
	if late := l.LastValidated.Sub(proved); late > 10*time.Second {
		t.Errorf("last_validated is %s after the last proof", late)
	}
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

func TestPreviousIsTheSessionThatWasSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.garmin.RefreshGrace = 100 * time.Hour
	w.start("plain")
	first := w.generation()
	for try := range 2 {
		w.advance(25 * time.Hour)
		w.garmin.Fail(garmintest.OpProfile, garmintest.ServerError, 1)
		if try == 1 {
			w.garmin.Fail(garmintest.OpRefresh, garmintest.Respond(400, "application/json", `{"error":"invalid_grant"}`), 1)
		}
		_, err := w.validate()
		wantKind(t, err, link.Unavailable)
	}
	if got := one[int64](w, "SELECT previous_generation FROM garmin_authentication_states"); got != first {
		t.Errorf("previous has generation %d, sent was %d", got, first)
	}
}

func TestUnreadablePreviousIsOurFaultAndNobodysDeath(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.advance(25 * time.Hour)
	w.garmin.Fail(garmintest.OpProfile, garmintest.ServerError, 1)
	_, err := w.validate()
	wantKind(t, err, link.Unavailable)
	w.exec("UPDATE garmin_authentication_states SET previous_key_id = 4711")
	w.advance(25 * time.Hour)
	w.garmin.RevokeAccount("plain@garmin.example")
	if _, err := w.validate(); err == nil || link.KindOf(err) != "" {
		t.Errorf("error is %v, want a fault of ours", err)
	}
	w.wantState("active")
}

func TestHistorySaysWhoEndedWhat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("mfa")
	w.garmin.Fail(garmintest.OpExchange, garmintest.ServerError, 2)
	_, err := w.code("123456")
	wantKind(t, err, link.Unavailable)
	w.start("plain")
	w.start("mfa")
	w.advance(25 * time.Hour)
	w.garmin.RevokeAccount("plain@garmin.example")
	_, err = w.validate()
	wantKind(t, err, link.ReauthNeeded)
	got := one[string](w, "SELECT string_agg(event || ' by ' || actor, ', ' ORDER BY id) FROM link_events")
	want := "code_asked by user, failed by system, login_done by user, code_asked by user, expired by system, rejected by system"
	if got != want {
		t.Errorf("history is %s", got)
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

func TestCredentialsDoNotPrint(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		if got := fmt.Sprintf(verb, credentials("plain")); got != "[redacted]" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}
