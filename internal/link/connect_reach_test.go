package link_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
)

// Not even by a hand in the database: it is sealed for its connect session.
func TestCandidateOpensForItsVisitAlone(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	v, other := h.bound(link.ToLink), h.bound(link.ToLink)
	v.start("plain")
	code := v.back().Get("code")
	h.exec("UPDATE garmin_candidates SET connect_session_id = NULL")
	_, err := h.links.Replace(context.Background(), h.act(), 0, true)
	if err == nil || link.KindOf(err) != "" {
		t.Errorf("taken without a visit: %v", err)
	}
	h.exec("UPDATE garmin_candidates SET connect_session_id = $1", other.id)
	h.exec("UPDATE connect_sessions SET code_generation = (SELECT code_generation FROM connect_sessions WHERE id = $1) WHERE id = $2", v.id, other.id)
	if _, err := other.complete(other.back().Get("code")); err == nil || link.KindOf(err) != "" {
		t.Errorf("taken by another visit: %v", err)
	}
	h.exec("UPDATE garmin_candidates SET connect_session_id = $1", v.id)
	if _, err := v.complete(code); err != nil {
		t.Error(err)
	}
}

// renewKeys wraps all that is sealed with a new key, and forgets the former.
func (v *visit) renewKeys() {
	v.t.Helper()
	both, alone, added := v.grown()
	if err := v.promote(both, added); err != nil {
		v.t.Fatal(err)
	}
	if pass := v.rewrap(both); len(pass.Unreadable) != 0 || pass.Busy != 0 {
		v.t.Errorf("the pass is %+v", pass)
	}
	v.keys = alone
	v.links = v.replica()
}

func TestCandidateOfAVisitOpensAfterARewrap(t *testing.T) {
	t.Parallel()
	v := newHost(t).bound(link.ToLink)
	v.start("plain")
	code := v.back().Get("code")
	v.renewKeys()
	if _, err := v.complete(code); err != nil {
		t.Error(err)
	}
	v.wantState("active")
}

func TestChallengeOfAVisitOpensAfterARewrap(t *testing.T) {
	t.Parallel()
	v := newHost(t).bound(link.ToLink)
	v.start("mfa")
	v.renewKeys()
	if _, err := v.links.SubmitCode(context.Background(), v.act, uuid.Nil, garmintest.DemoCode); err != nil {
		t.Error(err)
	}
	v.wantStatus(link.ConnectLinked)
}

// Who has sent a victim his own address must not type the victim's code in
// another place, where nobody asks whose state it is; nor see who it is.
func TestChallengeOfAVisitIsOutOfReachElsewhere(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	v := h.bound(link.ToLink)
	v.start("mfa")
	ctx := context.Background()
	for name, act := range map[string]link.Act{"the user's own sign-in": h.world.act(), "another visit": h.bound(link.ToLink).act} {
		_, err := h.links.SubmitCode(ctx, act, uuid.Nil, garmintest.DemoCode)
		wantKind(t, err, link.NoChallenge)
		_, err = h.links.ResendCode(ctx, act, uuid.Nil)
		wantKind(t, err, link.NoChallenge)
		if l, err := h.links.Cancel(ctx, act); err != nil || l.Challenge != nil || l.State.Challenge || l.GarminEmail != "" {
			t.Errorf("%s sees %+v, %v", name, l, err)
		}
		if act.Connect != uuid.Nil {
			if _, err := h.links.Leave(ctx, act); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := h.links.SubmitCode(ctx, v.act, uuid.Nil, garmintest.DemoCode); err != nil {
		t.Error(err)
	}
	v.wantStatus(link.ConnectLinked)
	v.wantState("not_linked")
}

// A user's own sign-in is none of a visitor's business either.
func TestOwnChallengeIsOutOfReachOfAVisit(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	v := h.bound(link.ToLink)
	h.world.start("mfa")
	if l, err := h.links.Cancel(context.Background(), v.act); err != nil || l.Challenge != nil {
		t.Errorf("the visitor sees %+v, %v", l, err)
	}
	v.leave("error", "cancelled")
	h.wantState("mfa_pending")
}
