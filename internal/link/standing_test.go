package link_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
)

func TestLinkTellsWhatComesAndWhatWorkersSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.start("plain")
	within(t, "the next check", l.NextCheck.Sub(l.AsOf), time.Minute, 24*time.Hour)
	if !l.EndsAt.IsZero() || !l.ReportedAt.IsZero() || !l.RefusedSince.IsZero() {
		t.Errorf("a new link is told to be %+v", l)
	}
	w.advance(time.Hour)
	w.report(link.Report{Generation: w.generation(), Outcome: link.WorkerUnauthorized})
	w.start("plain") // writes the record whole
	if l = w.view(); l.ReportedOutcome != link.WorkerUnauthorized {
		t.Errorf("a worker said %q", l.ReportedOutcome)
	}
	within(t, "the report", l.AsOf.Sub(l.ReportedAt), 0, time.Minute)
}

// The one who looks is told of a refusal before it is believed.
func TestLinkTellsSinceWhenItIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.garmin.Fail(garmintest.OpProfile, garmintest.Unauthorized, 4)
	w.advance(time.Hour)
	_, err := w.validate()
	wantKind(t, err, link.Unavailable)
	w.advance(10 * time.Minute)
	l := w.wantState("active")
	within(t, "the refusal", l.AsOf.Sub(l.RefusedSince), 10*time.Minute, 11*time.Minute)
	if _, err := w.validate(); err != nil {
		t.Fatal(err)
	}
	if l = w.view(); !l.RefusedSince.IsZero() {
		t.Error("it is told to be refused after a proof")
	}
}

func TestHeldBackForOneLinkAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want := func(want string) {
		t.Helper()
		held, err := w.links.HeldBackFor(context.Background(), w.view())
		var got string
		for _, d := range held {
			hold, host := d.Holds()
			got += fmt.Sprintf("%s %s for %s\n", hold, host, d.Left.Round(time.Minute))
		}
		if err != nil || got != want {
			t.Errorf("held back: %q, %v; want %q", got, err, want)
		}
	}
	want("")
	w.start("plain")
	w.garmin.Fail(garmintest.OpProfile, garmintest.ClientLimited(429, 0), 1)
	_, err := w.validate()
	wantKind(t, err, link.TokensLimited)
	want("account  for 15m0s\n")

	w.user = w.newUser("other@example.com")
	want("")
	w.garmin.Fail(garmintest.OpLogin, garmintest.AddressLimited(time.Hour), 1)
	_, err = w.links.Start(context.Background(), w.act(), credentials("mfa"))
	wantKind(t, err, link.RateLimited)
	want("address sso.garmin.com for 1h0m0s\n")
	w.user = w.newUser("third@example.com")
	want("address sso.garmin.com for 1h0m0s\n")
}
