package link_test

import (
	"context"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
)

// newLegacyWorld has a Garmin whose token service knows none of our client
// ids: sessions come by OAuth1.
func newLegacyWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.garmin.DIClientIDs = []string{"NONE"}
	w.links = w.replicaWith(w.legacyOptions())
	return w
}

func (w *world) legacyOptions() garmin.Options {
	o := w.options()
	o.Flows = []garmin.Flow{garmin.Android}
	return o
}

func TestLegacySessionLivesOn(t *testing.T) {
	t.Parallel()
	for account, region := range map[string]string{"plain": "garmin.com", "china": "garmin.cn"} {
		w := newLegacyWorld(t)
		c := credentials(account)
		c.Region = region
		if _, err := w.links.Start(context.Background(), w.act(), c); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			w.advance(25 * time.Hour)
			if _, err := w.replicaWith(w.legacyOptions()).Validate(context.Background(), w.act()); err != nil {
				t.Fatal(err)
			}
		}
		if n := w.garmin.Calls(garmintest.OpConsumer); n != 1 {
			t.Errorf("the consumer was fetched %d times", n)
		}
		w.wantState("active")
	}
}

func TestConsumerIsFetchedAgainAfterAMonth(t *testing.T) {
	t.Parallel()
	w := newLegacyWorld(t)
	w.start("plain")
	for i, c := range []struct {
		fault   garmintest.Fault
		fetched int
	}{{nil, 2}, {garmintest.ServerError, 3}} {
		w.advance(31 * 24 * time.Hour)
		if c.fault != nil {
			w.garmin.Fail(garmintest.OpConsumer, c.fault, 1)
		}
		if _, err := w.validate(); err != nil {
			t.Errorf("%d: %v", i, err)
		}
		if n := w.garmin.Calls(garmintest.OpConsumer); n != c.fetched {
			t.Errorf("%d: fetched %d times, want %d", i, n, c.fetched)
		}
	}
}

func TestNoConsumerIsNoReasonToUnlink(t *testing.T) {
	t.Parallel()
	w := newLegacyWorld(t)
	w.start("plain")
	w.exec("DELETE FROM oauth1_consumer")
	w.garmin.Fail(garmintest.OpConsumer, garmintest.ServerError, 0)
	w.advance(25 * time.Hour)
	_, err := w.validate()
	wantKind(t, err, link.Unavailable)
	w.wantState("active")
}

// One refusal of an OAuth1 token can be of the signature: only a second one, a
// minute later, is believed.
func TestLegacyGrantIsDeadAtTheSecondRefusal(t *testing.T) {
	t.Parallel()
	w := newLegacyWorld(t)
	w.start("plain")
	w.advance(25 * time.Hour)
	w.garmin.RevokeAccount("plain@garmin.example")
	for range 2 { // within the minute
		_, err := w.validate()
		if e := wantKind(t, err, link.Unavailable); e.RetryAfter != time.Minute {
			t.Errorf("to be tried again in %s", e.RetryAfter)
		}
	}
	w.wantState("active")
	w.advance(time.Minute)
	_, err := w.validate()
	wantKind(t, err, link.ReauthNeeded)
	w.wantState("reauth_needed")
}

func TestLegacyRefusalThatPassesIsForgotten(t *testing.T) {
	t.Parallel()
	w := newLegacyWorld(t)
	w.start("plain")
	for range 2 {
		w.advance(25 * time.Hour)
		w.garmin.Fail(garmintest.OpOAuth1, garmintest.Unauthorized, 1)
		_, err := w.validate()
		wantKind(t, err, link.Unavailable)
		if _, err := w.validate(); err != nil {
			t.Fatal(err)
		}
	}
	w.wantEvents("login_done: not_linked -> active")
}
