package link_test

import (
	"context"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
)

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
