package link_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
)

// ticket is what Garmin's own page gives to a user who signs in there.
func (w *world) ticket(account string, region garmin.Region) string {
	w.t.Helper()
	browser := garmin.New(garmin.Options{
		Transport: w.garmin.Transport(), Now: w.garmin.Now,
		Flows: []garmin.Flow{garmin.Widget.WithPause(garmin.Pause{})},
	})
	ctx := context.Background()
	ticket, challenge, err := browser.Login(ctx, region, account+"@garmin.example", garmintest.DemoPassword)
	if err == nil && challenge != nil {
		ticket, err = browser.SubmitCode(ctx, challenge, garmintest.DemoCode)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return ticket.Value.Reveal()
}

func (w *world) redeem(text string, region garmin.Region) (link.Link, error) {
	return w.links.Redeem(context.Background(), w.act(), link.Handoff{Text: link.Secret(text), Region: string(region)})
}

func TestTicketOfGarminsOwnPageLinks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		account, name string
		region        garmin.Region
	}{
		{"plain", "Pia Plain", garmin.RegionGlobal},
		{"mfa", "Max Mail", garmin.RegionGlobal},
		{"china", "Chen Run", garmin.RegionChina},
	} {
		w := newWorld(t)
		address := "https://sso." + string(c.region) + "/sso/embed?ticket=" + w.ticket(c.account, c.region)
		l, err := w.redeem(address, c.region)
		if err != nil {
			t.Fatalf("%s: %v", c.account, err)
		}
		if l.State.String() != "active" || l.GarminName != c.name || l.Region != string(c.region) || l.LastValidated.IsZero() {
			t.Errorf("%s: the link is %+v", c.account, l)
		}
		w.wantEvents("login_done: not_linked -> active")
		w.wantActivity("handoff:  ")
	}
}

func TestFaultsOfWhatWasPasted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for text, kind := range map[string]link.Kind{
		"":                       link.TicketMissing,
		"hello":                  link.TicketMissing,
		strings.Repeat("x", 1e6): link.TicketMissing,
		"https://sso.garmin.com/sso/embed?ticket=ST-1-a and https://sso.garmin.com/sso/embed?ticket=ST-2-b": link.TicketAmbiguous,
		"https://connect.garmin.com/app?ticket=ST-1-a":                                                      link.TicketForeign,
		"https://sso.garmin.cn/sso/embed?ticket=ST-1-a":                                                     link.TicketRegion,
	} {
		_, err := w.redeem(text, garmin.RegionGlobal)
		wantKind(t, err, kind)
	}
	_, err := w.redeem("ST-1-a", "garmin.org")
	wantKind(t, err, link.InvalidRegion)
	if n := one[int](w, "SELECT count(*) FROM garmin_login_attempts"); n != 0 || w.garmin.Calls(garmintest.OpExchange) != 0 {
		t.Errorf("%d attempts were begun, Garmin was asked %d times", n, w.garmin.Calls(garmintest.OpExchange))
	}
}

func TestTicketThatIsSpentOrOld(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.redeem("ST-1-neverseen", garmin.RegionGlobal)
	wantKind(t, err, link.TicketSpent)
	old := w.ticket("plain", garmin.RegionGlobal)
	w.advance(10 * time.Minute)
	_, err = w.redeem(old, garmin.RegionGlobal)
	wantKind(t, err, link.TicketSpent)
	w.wantState("not_linked")
	w.wantEvents()
	w.wantActivity("handoff:  ticket_spent", "handoff:  ticket_spent")
}

// A message from the frame and a click may send the same ticket twice.
func TestTicketSentTwiceIsRedeemedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ticket := w.ticket("plain", garmin.RegionGlobal)
	release := w.garmin.Hold(garmintest.OpExchange)
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if l, err := w.redeem(ticket, garmin.RegionGlobal); err != nil || l.GarminName != "Pia Plain" {
				t.Errorf("%+v, %v", l, err)
			}
		})
	}
	w.awaitCalls(garmintest.OpExchange, 1)
	release()
	both.Wait()
	if _, err := w.redeem(ticket, garmin.RegionGlobal); err != nil {
		t.Errorf("a late repetition: %v", err)
	}
	if n := w.garmin.Calls(garmintest.OpExchange); n != 1 {
		t.Errorf("%d exchanges", n)
	}
	w.wantEvents("login_done: not_linked -> active")
}

// Garmin limits its hosts apart: where we may not sign in, the user can.
func TestHandoffWorksWhileSignInsAreLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := context.Background()
	ticket := w.ticket("plain", garmin.RegionGlobal)
	w.garmin.Fail(garmintest.OpLogin, garmintest.AddressLimited(10*time.Minute), 1)
	_, err := w.links.Start(ctx, w.act(), credentials("plain"))
	wantKind(t, err, link.RateLimited)
	if !w.view().HandoffFirst {
		t.Error("Garmin's own page is not offered first")
	}
	l, err := w.redeem(ticket, garmin.RegionGlobal)
	if err != nil || l.HandoffFirst {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestHandoffIsOfferedFirstAfterABlockForADay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault garmintest.Fault
		first bool
	}{{garmintest.EdgeBlocked, true}, {garmintest.ServerError, false}, {garmintest.UnknownType, false}} {
		w := newWorld(t)
		w.garmin.Fail(garmintest.OpLogin, c.fault, 1)
		if _, err := w.links.Start(context.Background(), w.act(), credentials("plain")); err == nil {
			t.Fatal("the login worked")
		}
		if got := w.view().HandoffFirst; got != c.first {
			t.Errorf("offered first: %t, want %t", got, c.first)
		}
		w.advance(25 * time.Hour)
		if w.view().HandoffFirst {
			t.Error("offered first a day later")
		}
	}
}

func TestTicketOfAnotherAccountWaitsForAYes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	l, err := w.redeem(w.ticket("mfa", garmin.RegionGlobal), garmin.RegionGlobal)
	if err != nil || l.Candidate == nil || l.Candidate.GarminName != "Max Mail" || l.GarminName != "Pia Plain" {
		t.Fatalf("%+v, %v", l, err)
	}
	l, err = w.links.Replace(context.Background(), w.act(), l.Candidate.Generation, true)
	if err != nil || l.GarminName != "Max Mail" || l.GarminEmail != "" {
		t.Errorf("%+v, %v: the e-mail of the former account must not stay", l, err)
	}
}

func TestTicketOfTheSameAccountKeepsItsEmail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	l, err := w.redeem(w.ticket("plain", garmin.RegionGlobal), garmin.RegionGlobal)
	if err != nil || l.GarminEmail != "plain@garmin.example" {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestUnlinkDuringAHandoffWins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ticket := w.ticket("plain", garmin.RegionGlobal)
	release := w.garmin.Hold(garmintest.OpExchange)
	ended := make(chan error, 1)
	go func() {
		_, err := w.redeem(ticket, garmin.RegionGlobal)
		ended <- err
	}()
	w.awaitCalls(garmintest.OpExchange, 1)
	if err := w.links.Unlink(context.Background(), w.act()); err != nil {
		t.Fatal(err)
	}
	release()
	wantKind(t, <-ended, link.Superseded)
	w.wantState("not_linked")
}
