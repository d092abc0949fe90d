package link_test

import (
	"context"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/google/uuid"
)

func (w *world) code(code string) (link.Link, error) {
	return w.links.SubmitCode(context.Background(), w.act(), uuid.Nil, code)
}

func TestWrongCodeThenRight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("mfa")
	_, err := w.code("000000")
	if e := wantKind(t, err, link.WrongCode); e.AttemptsLeft != 4 {
		t.Errorf("%d attempts left, want 4", e.AttemptsLeft)
	}
	if _, err := w.code("123456"); err != nil {
		t.Fatal(err)
	}
	w.wantState("active")
}

func TestFiveWrongCodesEndTheChallenge(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]string{"first link": "not_linked", "relink": "active"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if before == "active" {
				w.start("plain")
				w.advance(time.Minute)
			}
			w.start("mfa")
			for range 4 {
				_, err := w.code("000000")
				wantKind(t, err, link.WrongCode)
			}
			_, err := w.code("000000")
			wantKind(t, err, link.AttemptsGone)
			w.wantState(before)
			_, err = w.code("123456")
			wantKind(t, err, link.NoChallenge)
			if n := w.garmin.Calls(garmintest.OpVerify); n != 5 {
				t.Errorf("Garmin was asked %d times, want 5", n)
			}
		})
	}
}

func TestWhatIsNoCodeCostsNoAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("mfa")
	for _, code := range []string{"", "abc", "12345a", "123", "12345678901"} {
		_, err := w.code(code)
		wantKind(t, err, link.InvalidCode)
	}
	if l := w.view(); l.Challenge.AttemptsLeft != 5 || w.garmin.Calls(garmintest.OpVerify) != 0 {
		t.Errorf("challenge is %+v, Garmin was asked %d times", l.Challenge, w.garmin.Calls(garmintest.OpVerify))
	}
}

func TestAnAttemptThatGarminDidNotJudgeIsGivenBack(t *testing.T) {
	t.Parallel()
	faults := map[string]garmintest.Fault{
		"server error": garmintest.ServerError, "reset": garmintest.Reset, "edge": garmintest.EdgeBlocked,
		"not JSON": garmintest.NonJSON,
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.start("mfa")
			w.garmin.Fail(garmintest.OpVerify, fault, 1)
			if _, err := w.code("123456"); link.KindOf(err) == "" || link.KindOf(err) == link.WrongCode {
				t.Fatalf("error is %v", err)
			}
			if l := w.view(); l.Challenge == nil || l.Challenge.AttemptsLeft != 5 {
				t.Fatalf("challenge is %+v", l.Challenge)
			}
			if _, err := w.code("123456"); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestChallengeExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("mfa")
	w.db.Advance(t, 10*time.Minute)
	_, err := w.code("123456")
	wantKind(t, err, link.ChallengeGone)
	w.wantState("not_linked")
	w.wantEvents("code_asked: not_linked -> mfa_pending", "expired: mfa_pending -> not_linked")
	if n := w.garmin.Calls(garmintest.OpVerify); n != 0 {
		t.Errorf("Garmin was asked %d times", n)
	}
}

func TestAPageViewEndsAnExpiredChallenge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.start("mfa")
	w.db.Advance(t, 10*time.Minute)
	l := w.wantState("active")
	if l.Challenge != nil {
		t.Errorf("challenge is %+v", l.Challenge)
	}
	if n := one[int](w, "SELECT count(*) FROM garmin_challenges"); n != 0 {
		t.Errorf("%d challenges are left", n)
	}
}

func TestAClaimedAttemptHoldsOffExpiry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("mfa")
	release := w.garmin.Hold(garmintest.OpVerify)
	result := make(chan error, 1)
	w.db.Advance(t, 10*time.Minute-10*time.Second)
	go func() {
		_, err := w.code("123456")
		result <- err
	}()
	w.awaitCalls(garmintest.OpVerify, 1)
	w.db.Advance(t, 20*time.Second)
	w.wantState("mfa_pending")
	release()
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	w.wantState("active")
}

func TestTwoTabsSubmitOneCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.start("mfa")
	release := w.garmin.Hold(garmintest.OpVerify)
	results := make(chan error, 2)
	for _, s := range []*link.Service{w.links, w.replica()} {
		go func() {
			got, err := s.SubmitCode(context.Background(), w.act(), l.Challenge.ID, "123456")
			if err == nil && got.State.Session != link.Live {
				t.Errorf("a tab shows %s", got.State)
			}
			results <- err
		}()
	}
	w.awaitCalls(garmintest.OpVerify, 1)
	release()
	for range 2 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if n := w.garmin.Calls(garmintest.OpVerify); n != 1 {
		t.Errorf("Garmin was asked %d times", n)
	}
}

func TestAFormOfAnOlderChallengeIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := w.start("mfa").Challenge.ID
	w.advance(time.Minute)
	if w.start("mfa").Challenge.ID == old {
		t.Fatal("the second login has the first one's challenge")
	}
	_, err := w.links.SubmitCode(context.Background(), w.act(), old, "123456")
	wantKind(t, err, link.NoChallenge)
	if _, err := w.code("123456"); err != nil {
		t.Fatal(err)
	}
}

func TestCancelRestoresWhatStoodBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("mfa")
	l, err := w.links.Cancel(context.Background(), w.act())
	if err != nil || l.State != (link.State{}) {
		t.Fatalf("Cancel = %s, %v", l.State, err)
	}
	w.start("plain")
	before := w.sessionData()
	w.start("mfa")
	if l, err = w.links.Cancel(context.Background(), w.act()); err != nil || l.State.Session != link.Live {
		t.Fatalf("Cancel = %s, %v", l.State, err)
	}
	if string(w.sessionData()) != string(before) {
		t.Error("the session of before did not survive")
	}
	if _, err := w.links.Cancel(context.Background(), w.act()); err != nil {
		t.Errorf("a second Cancel: %v", err)
	}
}

func (w *world) sessionData() []byte {
	w.t.Helper()
	return one[[]byte](w, "SELECT session_data FROM garmin_authentication_states WHERE user_id = $1", w.user)
}

func TestCancelDuringAnAttemptWins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("mfa")
	release := w.garmin.Hold(garmintest.OpVerify)
	result := make(chan error, 1)
	go func() {
		_, err := w.code("123456")
		result <- err
	}()
	w.awaitCalls(garmintest.OpVerify, 1)
	if _, err := w.links.Cancel(context.Background(), w.act()); err != nil {
		t.Fatal(err)
	}
	release()
	wantKind(t, <-result, link.Superseded)
	w.wantState("not_linked")
}

func TestNewCodeAfterAPause(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("mfa")
	_, err := w.links.ResendCode(context.Background(), w.act(), uuid.Nil)
	if e := wantKind(t, err, link.ResendTooSoon); e.RetryAfter > 30*time.Second || e.RetryAfter < 25*time.Second {
		t.Errorf("wait is %s", e.RetryAfter)
	}
	w.advance(31 * time.Second)
	l, err := w.links.ResendCode(context.Background(), w.act(), uuid.Nil)
	if err != nil || l.Challenge.ResendAt.Sub(l.AsOf) < 25*time.Second {
		t.Fatalf("ResendCode = %+v, %v", l.Challenge, err)
	}
	if n := w.garmin.Calls(garmintest.OpResend); n != 1 {
		t.Errorf("Garmin was asked for %d codes", n)
	}
	if _, err := w.code("123456"); err != nil {
		t.Fatal(err)
	}
}
