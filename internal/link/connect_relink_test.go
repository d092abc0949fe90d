package link_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
)

// newDeadLink is a host whose user's link to plain has died.
func newDeadLink(t *testing.T) *host {
	t.Helper()
	h := newHost(t)
	h.world.start("plain")
	h.garmin.RevokeAccount("plain@garmin.example")
	_, _ = h.validate()
	h.wantState("reauth_needed")
	h.advance(time.Minute)
	return h
}

func TestRelinkCountsAtOnce(t *testing.T) {
	t.Parallel()
	v := newDeadLink(t).bound(link.ToRelink)
	if l := v.start("plain"); l.State.Session != link.Live || l.Candidate != nil {
		t.Fatalf("the link is %+v", l)
	}
	v.wantStatus(link.ConnectLinked)
	code := v.back().Get("code")
	for range 2 {
		if c, err := v.complete(code); err != nil || c.Status() != link.ConnectCompleted {
			t.Errorf("completed as %s, %v", c.Status(), err)
		}
	}
	v.wantEvents("login_done: not_linked -> active", "rejected: active -> reauth_needed", "login_done: reauth_needed -> active")
}

// What has made the link live cannot be given up, nor lead anywhere for ever.
func TestLeavingAfterARelink(t *testing.T) {
	t.Parallel()
	v := newDeadLink(t).bound(link.ToRelink)
	v.start("plain")
	code := v.back().Get("code")
	v.leave("code", code)
	v.wantStatus(link.ConnectLinked)
	for _, late := range []time.Duration{35 * time.Minute, 5 * time.Minute} {
		v.advance(late)
		c, err := v.links.ConnectOf(context.Background(), v.id)
		if over := late < 30*time.Minute; err != nil || c.Status() != link.ConnectLinked || c.Over() != over {
			t.Errorf("it is %s, over: %t, %v", c.Status(), c.Over(), err)
		}
		if !c.Over() {
			v.leave("code", code)
		}
	}
	v.leave("error", "expired")
	v.wantState("active")
}

func TestRelinkTakesNoOtherAccount(t *testing.T) {
	t.Parallel()
	others := map[string]func(*visit) error{
		"code": func(v *visit) error {
			v.start("mfa")
			_, err := v.links.SubmitCode(context.Background(), v.act, uuid.Nil, garmintest.DemoCode)
			return err
		},
		"ticket": func(v *visit) error {
			ticket := v.ticket("mfa", garmin.RegionGlobal)
			_, err := v.links.Redeem(context.Background(), v.act, link.Handoff{Text: link.Secret(ticket), Region: "garmin.com"})
			return err
		},
	}
	for name, try := range others {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newDeadLink(t).bound(link.ToRelink)
			wantKind(t, try(v), link.OtherAccount)
			v.wantStatus(link.ConnectOpen)
			if l := v.wantState("reauth_needed"); l.GarminName != "Pia Plain" || l.Reason == "" {
				t.Errorf("the link is %+v", l)
			}
			if l, err := v.links.View(context.Background(), v.act); err != nil || l.Candidate != nil || l.Asking != nil {
				t.Errorf("something is left: %+v, %v", l, err)
			}
			v.advance(time.Minute)
			v.start("plain")
			v.wantState("active")
		})
	}
}

func TestNothingToRelink(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	_, _, err := h.links.CreateConnect(context.Background(), h.hostAct(), h.wanted(link.ToRelink))
	wantKind(t, err, link.NotLinked)
	h.world.start("mfa") // waits for a code
	_, _, err = h.links.CreateConnect(context.Background(), h.hostAct(), h.wanted(link.ToRelink))
	wantKind(t, err, link.NotLinked)
}

func TestSupportAsksForARelink(t *testing.T) {
	t.Parallel()
	h := newDeadLink(t)
	staff := h.newUser("staff@example.com")
	act := link.Act{User: h.user, By: link.BySupport, RequestID: "req-staff"}
	wanted := link.NewConnect{Purpose: link.ToRelink, Staff: staff, Key: "form-1", Request: []byte("runner")}
	c, address, err := h.links.CreateConnect(context.Background(), act, wanted)
	if err != nil || c.Staff != staff || c.Account != "Pia Plain" || c.Application != "" {
		t.Fatalf("made %+v, %v", c, err)
	}
	if again, _, err := h.links.CreateConnect(context.Background(), act, wanted); err != nil || again.ID != c.ID {
		t.Errorf("a double click makes %s, %v", again.ID, err)
	}
	v := &visit{host: h, id: c.ID, address: address, act: link.Act{User: h.user, By: link.ByUser, Connect: c.ID}}
	if _, err := v.bind(firstForm, ""); err != nil {
		t.Fatal(err)
	}
	v.start("plain")
	if back, err := h.links.Return(context.Background(), v.act, 0); err != nil || back != "" {
		t.Errorf("the way back is %q, %v", back.Reveal(), err)
	}
	h.wantEvents("login_done: not_linked -> active", "rejected: active -> reauth_needed",
		"relink_asked: reauth_needed -> reauth_needed", "login_done: reauth_needed -> active")
	if got := one[string](h.world, "SELECT actor || coalesce(type, '') FROM link_events WHERE event = 'relink_asked'"); got != "support" {
		t.Errorf("the history says %s", got)
	}
	wanted.Purpose, wanted.Key = link.ToLink, ""
	if _, _, err := h.links.CreateConnect(context.Background(), act, wanted); err == nil {
		t.Error("staff made a link")
	}
}
