package link_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
)

func (w *world) export(f link.Format, renewal bool) (*garmin.Session, error) {
	w.t.Helper()
	text, err := w.links.Export(context.Background(), w.act(), link.Export{Format: f, Renewal: renewal})
	if err != nil {
		return nil, err
	}
	s, format, err := garmin.ParseAny(text.Reveal())
	if err != nil || string(format) != string(f) {
		w.t.Fatalf("the copy is %s: %v", format, err)
	}
	return s, nil
}

func TestCopyWorksAndCannotHarmTheLink(t *testing.T) {
	t.Parallel()
	for _, f := range []link.Format{link.Garth, link.Garminconnect} {
		w := newWorld(t)
		w.start("plain")
		s, err := w.export(f, false)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := garmin.New(w.options()).Profile(context.Background(), s); err != nil {
			t.Errorf("%s: the copy does not work: %v", f, err)
		}
		if s.Renewal() != garmin.RenewNone {
			t.Errorf("%s: the copy renews itself by %s", f, s.Renewal())
		}
		w.wantEvents("login_done: not_linked -> active", "exported: active -> active")
	}
}

func TestCopyWithRenewalIsAskedForAndOnRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	s, err := w.export(link.Garth, true)
	if err != nil || s.Renewal() != garmin.RenewDI {
		t.Fatalf("%v: renewed by %s", err, s.Renewal())
	}
	if got := one[string](w, "SELECT reason FROM link_events WHERE event = 'exported'"); got != string(link.WithRenewal) {
		t.Errorf("the history says %q", got)
	}
}

func TestCopyOfAnExpiringSessionIsFresh(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.advance(24*time.Hour - 10*time.Minute)
	s, err := w.export(link.Garth, false)
	if err != nil {
		t.Fatal(err)
	}
	if left := s.ExpiresAt().Sub(w.garmin.Now()); left < 23*time.Hour || w.garmin.Calls(garmintest.OpRefresh) != 1 {
		t.Errorf("the copy lasts for %s", left)
	}
}

func TestNothingToCopy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.export(link.Garth, false)
	wantKind(t, err, link.NotLinked)
	w.start("plain")
	_, err = w.export("pickle", false)
	wantKind(t, err, link.InvalidFormat)
	w.garmin.RevokeAccount("plain@garmin.example")
	_, _ = w.validate()
	_, err = w.export(link.Garth, false)
	wantKind(t, err, link.ReauthNeeded)
	w.wantEvents("login_done: not_linked -> active", "rejected: active -> reauth_needed")
}

func TestCopyPrintsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	text, err := w.links.Export(context.Background(), w.act(), link.Export{Format: link.Garth})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%v %+v %#v %s", text, text, text, text); got != "[redacted] [redacted] [redacted] [redacted]" {
		t.Errorf("it prints as %s", got)
	}
}
