package link_test

import (
	"context"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
)

// copied is what the user takes away, with what renews it.
func (w *world) copied() string {
	w.t.Helper()
	text, err := w.links.Export(context.Background(), w.act(), link.Export{Format: link.Garth, Renewal: true})
	if err != nil {
		w.t.Fatal(err)
	}
	return text.Reveal()
}

// The access token of an old copy may still work: what renews it does not, and
// the link goes on.
func TestOldCopyDoesNotReplaceTheLinkItCameFrom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	old := w.copied()
	w.advance(24*time.Hour - 10*time.Minute)
	if _, err := w.export(link.Garth, false); err != nil { // renews
		t.Fatal(err)
	}
	_, err := w.bring(old)
	wantKind(t, err, link.SessionRefused)
	w.advance(25 * time.Hour)
	if _, err := w.validate(); err != nil {
		t.Errorf("the good link is dead: %v", err)
	}
}

func TestOldCopyBroughtWhileTheLinkIsRenewed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	old := w.copied()
	w.advance(25 * time.Hour)
	release := w.garmin.Hold(garmintest.OpRefresh)
	renewed, brought := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := w.validate()
		renewed <- err
	}()
	w.awaitCalls(garmintest.OpRefresh, 1)
	go func() {
		_, err := w.bring(old)
		brought <- err
	}()
	if err := <-brought; err != nil { // the link's own: nothing is to be done
		t.Error(err)
	}
	release()
	if err := <-renewed; err != nil {
		t.Error(err)
	}
	if n := w.garmin.Calls(garmintest.OpRefresh); n != 1 {
		t.Errorf("%d refreshes", n)
	}
	w.wantEvents("login_done: not_linked -> active", "exported: active -> active")
}

// Once the user's session was renewed, the new one is all that there is.
func TestRenewedImportIsKeptWhateverTheAPISays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault garmintest.Fault
		n     int
		named string // at once, or when the API can be asked
	}{
		"refused for a moment": {garmintest.Unauthorized, 4, "Pia Plain"},
		"limited":              {garmintest.AddressLimited(5 * time.Second), 1, ""},
		"blocked":              {garmintest.EdgeBlocked, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			text := w.dumps(w.elsewhere("plain", garmin.RegionGlobal))
			w.advance(25 * time.Hour)
			w.garmin.Fail(garmintest.OpProfile, c.fault, c.n)
			l, err := w.bring(text)
			if err != nil || l.State.String() != "active" || l.GarminName != c.named {
				t.Fatalf("%+v, %v", l, err)
			}
			w.advance(10 * time.Minute)
			if err := w.check(); err != nil {
				t.Error(err)
			}
			if l := w.view(); l.GarminName != "Pia Plain" {
				t.Errorf("linked to %q", l.GarminName)
			}
		})
	}
}

func TestAnothersAccountIsFoundBeforeAnythingIsUsedUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mine := w.elsewhere("plain", garmin.RegionGlobal)
	w.advance(25 * time.Hour)
	other := link.Act{User: w.newUser("other@example.com"), By: link.ByUser, RequestID: "req-2"}
	if _, err := w.links.Start(context.Background(), other, credentials("plain")); err != nil {
		t.Fatal(err)
	}
	_, err := w.bring(w.dumps(mine))
	wantKind(t, err, link.AccountTaken)
	if _, err := garmin.New(w.options()).Refresh(context.Background(), mine); err != nil {
		t.Errorf("the user's own session is dead: %v", err)
	}
}

func TestTicketAgainAfterItWasUndoneIsSpent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ticket := w.ticket("plain", garmin.RegionGlobal)
	if _, err := w.redeem(ticket, garmin.RegionGlobal); err != nil {
		t.Fatal(err)
	}
	if err := w.links.Unlink(context.Background(), w.act()); err != nil {
		t.Fatal(err)
	}
	_, err := w.redeem(ticket, garmin.RegionGlobal)
	wantKind(t, err, link.Superseded)
	w.advance(time.Minute)
	_, err = w.redeem(ticket, garmin.RegionGlobal)
	wantKind(t, err, link.TicketSpent)
}

// Where tokens cannot be had, Garmin's own page is no way either.
func TestHandoffIsNotOfferedFirstWhereItIsLimitedToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ticket := w.ticket("plain", garmin.RegionGlobal)
	w.garmin.Fail(garmintest.OpExchange, garmintest.AddressLimited(10*time.Minute), 1)
	_, err := w.links.Start(context.Background(), w.act(), credentials("plain"))
	wantKind(t, err, link.TokensLimited)
	_, err = w.redeem(ticket, garmin.RegionGlobal)
	wantKind(t, err, link.TokensLimited)
	if w.view().HandoffFirst {
		t.Error("it is")
	}
}

func TestRefusalOfOurClientIDsIsNotTheUsersLateness(t *testing.T) {
	t.Parallel()
	w := newLegacyWorld(t)
	w.garmin.Fail(garmintest.OpPreauthorize, garmintest.Unauthorized, 0)
	_, err := w.redeem(w.ticket("plain", garmin.RegionGlobal), garmin.RegionGlobal)
	wantKind(t, err, link.TicketRefused)
}

func TestCopyDoesNotAskDuringACoolDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.advance(25 * time.Hour)
	w.garmin.Fail(garmintest.OpRefresh, garmintest.AddressLimited(10*time.Minute), 1)
	for range 3 {
		_, err := w.export(link.Garth, false)
		wantKind(t, err, link.TokensLimited)
	}
	if n := w.garmin.Calls(garmintest.OpRefresh); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestLegacySessionRenewsItselfOnlyInGarthsForm(t *testing.T) {
	t.Parallel()
	w := newLegacyWorld(t)
	w.start("plain")
	_, err := w.export(link.Garminconnect, true)
	wantKind(t, err, link.NoRenewalInFormat)
	if s, err := w.export(link.Garth, true); err != nil || s.Renewal() != garmin.RenewOAuth1 {
		t.Error(err)
	}
}

func TestFaultOfOursIsNotOnRecordAsSuccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec("CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$")
	w.exec("CREATE TRIGGER no BEFORE INSERT ON garmin_authentication_states FOR EACH ROW EXECUTE FUNCTION no()")
	if _, err := w.bring(w.dumps(w.elsewhere("plain", garmin.RegionGlobal))); err == nil || link.KindOf(err) != "" {
		t.Errorf("error is %v", err)
	}
	w.wantActivity("import:  fault")
}
