package link_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
)

func (w *world) checkNow() {
	w.t.Helper()
	w.exec("UPDATE garmin_authentication_states SET next_check_at = app_now()")
	if err := w.check(); err != nil {
		w.t.Fatal(err)
	}
}

// wantTold compares what the world was told of the user.
func (w *world) wantTold(want ...link.EventType) []link.Happening {
	w.t.Helper()
	all := w.happened(0, nil, 100)
	var got []link.EventType
	for _, h := range all {
		got = append(got, h.Type)
	}
	if !slices.Equal(got, want) {
		w.t.Fatalf("told is %q, want %q", got, want)
	}
	return all
}

func TestEndThatOnlyTheUserAvertsIsToldOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stripped := w.elsewhere("plain", garmin.RegionGlobal).Stripped() // nothing renews it, it ends in a day
	linked, err := w.bring(w.dumps(stripped))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w.checkNow()
		w.advance(time.Hour)
	}
	told := w.wantTold(link.LinkActive, link.LinkExpiring)
	if h := told[1]; !h.ReconnectBefore.Equal(linked.ReconnectBefore) || h.State != "active" || !told[0].ReconnectBefore.IsZero() {
		t.Errorf("told is %+v, the user sees %s", h, linked.ReconnectBefore)
	}
	w.wantLines([]string{"imported user", "expiring system"},
		"SELECT event || ' ' || actor FROM link_events WHERE user_id = $1 ORDER BY id")
	w.start("plain")
	w.checkNow()
	w.wantTold(link.LinkActive, link.LinkExpiring, link.LinkActive, link.LinkRepaired)
}

func TestAnotherEndIsToldAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 2 {
		session := w.elsewhere("plain", garmin.RegionGlobal).Stripped()
		w.advance(time.Hour)
		if _, err := w.bring(w.dumps(session)); err != nil {
			t.Fatal(err)
		}
		w.checkNow()
		w.garmin.RevokeAccount("plain@garmin.example")
		w.exec("UPDATE garmin_authentication_states SET session_expires_at = app_now()")
		_, err := w.validate()
		wantKind(t, err, link.ReauthNeeded)
	}
	w.wantTold(link.LinkActive, link.LinkExpiring, link.LinkReauthNeeded, link.LinkRepaired, link.LinkExpiring, link.LinkReauthNeeded)
}

// Garmin has said that no refresh moves the end, and then one does.
func TestRefreshThatMovesTheEndAvertsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.exec("UPDATE garmin_authentication_states SET session_ends_at = app_now() + interval '5 days'")
	w.checkNow()
	w.checkNow()
	w.wantTold(link.LinkActive, link.LinkExpiring)
	w.advance(25 * time.Hour)
	w.mustCheckOut(garth)
	w.wantTold(link.LinkActive, link.LinkExpiring, link.LinkRepaired)
	if l := w.view(); !l.ReconnectBefore.IsZero() {
		t.Errorf("the user is still warned of %s", l.ReconnectBefore)
	}
	w.checkNow()
	w.wantTold(link.LinkActive, link.LinkExpiring, link.LinkRepaired)
}

func TestEndIsToldWhileGarminIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.exec("UPDATE garmin_authentication_states SET session_ends_at = app_now() + interval '5 days', next_check_at = app_now()")
	w.garmin.Fail(garmintest.OpProfile, garmintest.ServerError, 0)
	if err := w.links.Check(context.Background(), w.job(w.user)); link.KindOf(err) == "" {
		t.Errorf("error is %v", err)
	}
	w.wantTold(link.LinkActive, link.LinkExpiring)
}

// A check-out may refresh soon after a refresh: the end moves with the time,
// and that by minutes.
func TestEndThatMovesALittleIsNoFixedOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.garmin.RefreshLife = 5 * 24 * time.Hour
	w.start("plain")
	for range 3 {
		w.advance(20 * time.Minute)
		w.exec("UPDATE garmin_authentication_states SET session_expires_at = app_now()")
		w.mustCheckOut(garth)
		w.checkNow()
	}
	w.wantTold(link.LinkActive)
}
