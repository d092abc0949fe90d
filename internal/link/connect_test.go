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

// arrivals are the ways on which something comes of a visit, with an account of
// each way.
var arrivals = map[string]func(*visit) (link.Link, error){
	"password": func(v *visit) (link.Link, error) { return v.tryStart("plain") },
	"code": func(v *visit) (link.Link, error) {
		if _, err := v.tryStart("mfa"); err != nil {
			return link.Link{}, err
		}
		return v.links.SubmitCode(context.Background(), v.act, uuid.Nil, garmintest.DemoCode)
	},
	"ticket": func(v *visit) (link.Link, error) {
		ticket := v.ticket("plain", garmin.RegionGlobal)
		return v.links.Redeem(context.Background(), v.act, link.Handoff{Text: link.Secret(ticket), Region: "garmin.com"})
	},
}

func TestFirstLinkWaitsForTheHost(t *testing.T) {
	t.Parallel()
	for name, arrive := range arrivals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newHost(t).bound(link.ToLink)
			l, err := arrive(v)
			if err != nil || l.Candidate == nil || l.Candidate.Replaces || l.State != (link.State{}) {
				t.Fatalf("the link is %+v, %v", l, err)
			}
			v.wantStatus(link.ConnectLinked)
			code := v.back().Get("code")
			v.wantState("not_linked")
			c, err := v.complete(code)
			if err != nil || c.Status() != link.ConnectCompleted {
				t.Fatalf("completed as %s, %v", c.Status(), err)
			}
			v.wantState("active")
			if _, err := v.links.Validate(context.Background(), v.world.act()); err != nil {
				t.Error(err)
			}
			if got := one[string](v.world, "SELECT actor || ' ' || token_id FROM link_events WHERE event = 'login_done'"); got != "worker "+v.token.String() {
				t.Errorf("the history says that %s did it", got)
			}
		})
	}
}

func TestCompletingAgainAnswersTheSame(t *testing.T) {
	t.Parallel()
	v := newHost(t).bound(link.ToLink)
	v.start("plain")
	code := v.back().Get("code")
	first, err := v.complete(code)
	if err != nil {
		t.Fatal(err)
	}
	v.advance(48 * time.Hour)
	again, err := v.complete(code)
	if err != nil || again.ID != first.ID || !again.EndedAt.Equal(first.EndedAt) || again.Status() != link.ConnectCompleted {
		t.Errorf("again: %+v, %v", again, err)
	}
	_, err = v.complete(code + "x")
	wantKind(t, err, link.CompletionWrong)
	if got := one[int](v.world, "SELECT count(*) FROM link_events WHERE event = 'login_done'"); got != 1 {
		t.Errorf("linked %d times", got)
	}
	if again := v.back(); again.Get("code") != code {
		t.Error("who goes back once more brings another code")
	}
}

// What waits for the host is out of reach for the same user's other ways.
func TestCandidateOfAVisitIsNobodyElses(t *testing.T) {
	t.Parallel()
	v := newHost(t).bound(link.ToLink)
	generation := v.start("plain").Candidate.Generation
	other := v.bound(link.ToLink)
	for _, act := range []link.Act{v.world.act(), other.act} {
		if l, err := v.links.View(context.Background(), act); err != nil || l.Candidate != nil {
			t.Errorf("it is shown: %+v, %v", l, err)
		}
		for _, yes := range []bool{true, false} {
			_, err := v.links.Replace(context.Background(), act, generation, yes)
			wantKind(t, err, link.NoCandidate)
		}
	}
	_, err := v.links.Return(context.Background(), other.act, 0)
	wantKind(t, err, link.NotLinked)
	_, err = v.links.Replace(context.Background(), v.act, generation, true)
	wantKind(t, err, link.NoCandidate) // not without the host
	v.wantStatus(link.ConnectLinked)
	other.wantStatus(link.ConnectOpen)
}

func TestVisitOfOneWhoHasALink(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		account  string
		replaces bool
		name     string
	}{
		"same account":    {"plain", false, "Pia Plain"},
		"another account": {"sms", true, "Sam Text"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			h.world.start("plain")
			before := h.sessionData()
			h.advance(time.Hour)
			v := h.bound(link.ToLink)
			l := v.start(c.account)
			if l.Challenge != nil {
				var err error
				if l, err = v.links.SubmitCode(context.Background(), v.act, uuid.Nil, garmintest.DemoCode); err != nil {
					t.Fatal(err)
				}
			}
			if l.Candidate == nil || l.Candidate.Replaces != c.replaces || string(h.sessionData()) != string(before) {
				t.Fatalf("before the host's yes: %+v", l)
			}
			if _, err := v.complete(v.back().Get("code")); err != nil {
				t.Fatal(err)
			}
			if l := h.wantState("active"); l.GarminName == "" || (l.GarminName == "Pia Plain") == c.replaces || string(h.sessionData()) == string(before) {
				t.Errorf("after it: %+v", l)
			}
		})
	}
}

func TestDeclinedArrivalIsTriedAnew(t *testing.T) {
	t.Parallel()
	v := newHost(t).bound(link.ToLink)
	first := v.start("plain").Candidate.Generation
	stale := v.back().Get("code")
	l, err := v.links.Replace(context.Background(), v.act, first, false)
	if err != nil || l.Candidate != nil {
		t.Fatalf("declined: %+v, %v", l, err)
	}
	v.wantStatus(link.ConnectOpen)
	_, err = v.links.Return(context.Background(), v.act, 0)
	wantKind(t, err, link.NotLinked)
	_, err = v.complete(stale)
	wantKind(t, err, link.ConnectOver)
	v.advance(time.Minute)
	second := v.start("plain").Candidate.Generation
	_, err = v.links.Return(context.Background(), v.act, first)
	wantKind(t, err, link.NoCandidate)
	if address, err := v.links.Return(context.Background(), v.act, second); err != nil || v.read(address).Get("code") == stale {
		t.Errorf("the code of another arrival is the same: %v", err)
	}
	_, err = v.complete(stale)
	wantKind(t, err, link.CompletionWrong)
	if _, err = v.complete(v.back().Get("code")); err != nil {
		t.Error(err)
	}
}

func TestFiveWrongCodesEndAVisit(t *testing.T) {
	t.Parallel()
	v := newHost(t).bound(link.ToLink)
	v.start("plain")
	code := v.back().Get("code")
	for range 5 {
		_, err := v.complete("guess")
		wantKind(t, err, link.CompletionWrong)
	}
	_, err := v.complete(code)
	wantKind(t, err, link.ConnectOver)
	v.wantStatus(link.ConnectRefused)
	v.wantState("not_linked")
	if n := one[int](v.world, "SELECT count(*) FROM garmin_candidates"); n != 0 {
		t.Error("the candidate is still there")
	}
	address, err := v.links.Leave(context.Background(), v.act)
	if err != nil || v.read(address).Get("error") != "refused" {
		t.Errorf("the way back is %v", err)
	}
}

func TestCodeIsGoodForTenMinutesAfterTheReturn(t *testing.T) {
	t.Parallel()
	v := newHost(t).bound(link.ToLink)
	v.start("plain")
	_, err := v.complete("before anybody came back")
	wantKind(t, err, link.ConnectOver)
	code := v.back().Get("code")
	v.advance(10 * time.Minute)
	_, err = v.complete(code)
	wantKind(t, err, link.ConnectOver)
	v.back()
	v.advance(9 * time.Minute)
	if _, err := v.complete(code); err != nil {
		t.Error(err)
	}
}

func TestHostCompletesOnceHoweverOftenItAsks(t *testing.T) {
	t.Parallel()
	v := newHost(t).bound(link.ToLink)
	v.start("plain")
	code := v.back().Get("code")
	done := make(chan error)
	for range 10 {
		go func() { _, err := v.complete(code); done <- err }()
	}
	for range 10 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	v.wantEvents("set_aside: not_linked -> not_linked", "login_done: not_linked -> active")
}

func TestAccountOfAnotherUserIsToldOnThePage(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	first := h.bound(link.ToLink)
	h.user = h.newUser("second@example.com")
	second := h.bound(link.ToLink)
	first.start("plain")
	second.start("plain")
	if _, err := first.complete(first.back().Get("code")); err != nil {
		t.Fatal(err)
	}
	code := second.back().Get("code")
	_, err := second.complete(code) // the host hears of a race
	wantKind(t, err, link.AccountTaken)
	h.advance(time.Minute)
	_, err = second.tryStart("plain")
	wantKind(t, err, link.AccountTaken)
	second.wantStatus(link.ConnectLinked) // what waited before goes on waiting
}

func TestUnknownConnectSession(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	v := h.bound(link.ToLink)
	_, err := h.links.Complete(context.Background(), h.hostAct(), uuid.New(), "x")
	wantNotFound(t, err)
	_, err = h.links.ConnectOf(context.Background(), uuid.New())
	wantNotFound(t, err)
	foreign := v.act
	foreign.User = h.newUser("stranger@example.com")
	_, err = h.links.Start(context.Background(), foreign, credentials("plain"))
	wantNotFound(t, err) // a connect session is its own user's
	h.wantState("not_linked")
}
