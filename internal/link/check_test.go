package link_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/google/uuid"
)

func (w *world) job(user uuid.UUID) link.Act {
	return link.Act{User: user, By: link.BySystem, RequestID: "job-1"}
}

// crowd makes users who are linked to accounts user0, user1 and so on.
func (w *world) crowd(n int) []uuid.UUID {
	w.t.Helper()
	users := make([]uuid.UUID, n)
	for i := range users {
		name := fmt.Sprintf("user%d", i)
		w.garmin.Add(garmintest.Account{Email: name + "@garmin.example", Password: garmintest.DemoPassword})
		users[i] = w.newUser(name + "@example.com")
		if _, err := w.links.Start(context.Background(), w.job(users[i]), credentials(name)); err != nil {
			w.t.Fatal(err)
		}
	}
	return users
}

func (w *world) check() error {
	return w.links.Check(context.Background(), w.job(w.user))
}

func (w *world) due() int {
	w.t.Helper()
	users, err := w.links.Due(context.Background(), 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	return len(users)
}

// untilDue is how long the link is left alone.
func (w *world) untilDue() time.Duration {
	w.t.Helper()
	return time.Duration(one[float64](w, `
		SELECT extract(epoch FROM next_check_at - app_now())::float8 FROM garmin_authentication_states WHERE user_id = $1`,
		w.user) * float64(time.Second))
}

func within(t *testing.T, what string, d, from, to time.Duration) {
	t.Helper()
	if d < from || d > to {
		t.Errorf("%s is %s, want %s to %s", what, d, from, to)
	}
}

func TestLinkThatNobodyUsesLivesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	for range 90 { // days, three lives of a refresh token
		w.advance(24 * time.Hour)
		if err := w.check(); err != nil {
			t.Fatal(err)
		}
	}
	l := w.wantState("active")
	within(t, "the last proof", l.AsOf.Sub(l.LastValidated), 0, time.Minute)
	if n := w.garmin.Calls(garmintest.OpLogin); n != 1 {
		t.Errorf("%d logins", n)
	}
	w.wantEvents("login_done: not_linked -> active")
}

func TestSessionIsRenewedAhead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain") // its token lives for 24 hours
	within(t, "the first wait", w.untilDue(), 16*time.Hour, 18*time.Hour)
	w.advance(16 * time.Hour)
	if err := w.check(); err != nil || w.garmin.Calls(garmintest.OpProfile) != 1 {
		t.Errorf("a link that is not due was checked: %v", err)
	}
	w.advance(2*time.Hour + time.Minute)
	if w.due() != 1 {
		t.Fatal("the link is not due")
	}
	if err := w.check(); err != nil {
		t.Fatal(err)
	}
	if w.garmin.Calls(garmintest.OpRefresh) != 1 || w.garmin.Calls(garmintest.OpProfile) != 2 || w.due() != 0 {
		t.Error("it was not renewed and proved")
	}
	within(t, "the next wait", w.untilDue(), 16*time.Hour, 18*time.Hour)
}

// A token may say that it lives for years: what renews it does not.
func TestUnusedLinkIsKeptFromDyingOfAge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.garmin.AccessLife = 100 * 24 * time.Hour
	w.start("plain")
	for range 40 {
		w.advance(24 * time.Hour)
		if err := w.check(); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.garmin.Calls(garmintest.OpRefresh); n != 1 {
		t.Errorf("%d refreshes in 40 days, want one before the 30th", n)
	}
}

func TestFailedCheckIsDueAgainLaterAndChangesNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault    garmintest.Fault
		from, to time.Duration
	}{
		{garmintest.ServerError, 14 * time.Minute, 30 * time.Minute},
		{garmintest.EdgeBlocked, 14 * time.Minute, 30 * time.Minute},
		{garmintest.AddressLimited(2 * time.Hour), 119 * time.Minute, 4 * time.Hour},
	} {
		w := newWorld(t)
		before := w.start("plain")
		w.advance(20 * time.Hour)
		w.garmin.Fail(garmintest.OpRefresh, c.fault, 1)
		if err := w.check(); err == nil {
			t.Error("the check says that it worked")
		}
		within(t, "the wait", w.untilDue(), c.from, c.to)
		if l := w.wantState("active"); !l.LastValidated.Equal(before.LastValidated) {
			t.Error("last_validated moved without proof")
		}
		w.advance(5 * time.Hour)
		if err := w.check(); err != nil {
			t.Errorf("the next check: %v", err)
		}
	}
}

func TestJobsLeaveAHostAloneThatFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.garmin.Fail(garmintest.OpProfile, garmintest.ServerError, 0)
	for range 25 {
		_, _ = w.validate()
	}
	asked := w.garmin.Calls(garmintest.OpProfile)
	w.advance(20 * time.Hour)
	w.exec("UPDATE cool_downs SET until = app_now() + interval '1 minute' WHERE key LIKE 'garmin/breaker/%'") // the advance has ended it
	if err := w.check(); link.KindOf(err) != link.Unavailable {
		t.Errorf("error is %v", err)
	}
	if n := w.garmin.Calls(garmintest.OpProfile); n != asked {
		t.Error("a job asked all the same")
	}
	if one[int](w, "SELECT count(*) FROM cool_downs WHERE key = 'garmin/breaker/connectapi.garmin.com'") != 1 {
		t.Error("the breaker is not open")
	}
	if _, err := w.validate(); link.KindOf(err) != link.Unavailable || w.garmin.Calls(garmintest.OpProfile) == asked {
		t.Error("the user's own click was held back")
	}
}

// When Garmin refuses everybody, it is Garmin.
func TestMassBrakeStopsJudging(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const links = 40
	users := w.crowd(links)
	for i := range links {
		w.garmin.KillGrants(fmt.Sprintf("user%d@garmin.example", i))
	}
	w.advance(20 * time.Hour)
	for _, user := range users {
		_ = w.links.Check(context.Background(), w.job(user))
	}
	const dead = "SELECT count(*) FROM garmin_authentication_states WHERE session_data IS NULL"
	if n := one[int](w, dead); n != 19 {
		t.Errorf("%d of %d were unlinked, want to stop before the 20th", n, links)
	}
	for range 18 {
		w.advance(20 * time.Minute)
		for _, user := range users {
			_ = w.links.Check(context.Background(), w.job(user))
		}
	}
	if n := one[int](w, dead); n != 19 {
		t.Errorf("%d of %d are unlinked hours later", n, links)
	}
	if n := one[int](w, "SELECT count(*) FROM cool_downs WHERE key = 'garmin/judging' AND until > app_now()"); n != 1 {
		t.Error("nothing tells support that judging has stopped")
	}
}

// The brake lets go: links that are truly dead are told in the end.
func TestMassBrakeEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const links, died = 60, 30
	users := w.crowd(links)
	for i := range died {
		w.garmin.KillGrants(fmt.Sprintf("user%d@garmin.example", i))
	}
	w.advance(20 * time.Hour)
	for range 9 {
		for _, user := range users {
			_ = w.links.Check(context.Background(), w.job(user))
		}
		w.advance(20 * time.Minute)
	}
	if n := one[int](w, "SELECT count(*) FROM garmin_authentication_states WHERE session_data IS NULL"); n != died {
		t.Errorf("%d were told hours later, want all %d", n, died)
	}
}

// A host that hangs is as down as one that fails.
func TestHangingHostOpensTheBreaker(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	o := w.options()
	o.Transport = hanging{}
	hung := w.replicaWith(o)
	for range 500 { // 21 within a minute are enough, where each gets as far as Garmin in its time
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		_, _ = hung.Validate(ctx, w.act())
		cancel()
		if one[int](w, "SELECT count(*) FROM cool_downs WHERE key = 'garmin/breaker/connectapi.garmin.com'") == 1 {
			return
		}
	}
	t.Error("the breaker is not open")
}

// hanging never answers.
type hanging struct{}

func (hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestFailureAfterARefreshIsSpreadToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.advance(20 * time.Hour)
	w.garmin.Fail(garmintest.OpProfile, garmintest.AddressLimited(2*time.Hour), 1)
	if err := w.check(); err == nil {
		t.Error("the check says that it worked")
	}
	within(t, "the wait", w.untilDue(), 119*time.Minute, 4*time.Hour)
}

func TestLapsedChallengesAndCandidatesEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("mfa")
	other := link.Act{User: w.newUser("other@example.com"), By: link.ByUser, RequestID: "req-2"}
	for _, account := range []string{"plain", "china"} {
		c := credentials(account)
		if account == "china" {
			c.Region = "garmin.cn"
		}
		if _, err := w.links.Start(context.Background(), other, c); err != nil {
			t.Fatal(err)
		}
	}
	lapse := func() int {
		n, err := w.links.Lapse(context.Background(), w.job(uuid.Nil), 10)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := lapse(); n != 0 {
		t.Errorf("%d ended before their time", n)
	}
	w.advance(11 * time.Minute)
	if n := lapse(); n != 2 || lapse() != 0 {
		t.Errorf("%d ended, want 2 once", n)
	}
	if n := one[int](w, "SELECT (SELECT count(*) FROM garmin_challenges) + (SELECT count(*) FROM garmin_candidates)"); n != 0 {
		t.Errorf("%d are left", n)
	}
	w.wantEvents("code_asked: not_linked -> mfa_pending", "expired: mfa_pending -> not_linked")
}

// The user is warned of an end that refreshing cannot avoid, and of no other.
func TestWarningBeforeAnEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.advance(24*24*time.Hour + time.Hour) // 6 days before the refresh token's end, which refreshing moves
	if l := w.view(); !l.ReconnectBefore.IsZero() {
		t.Errorf("warned of %s", l.ReconnectBefore)
	}
	if err := w.links.Unlink(context.Background(), w.act()); err != nil {
		t.Fatal(err)
	}
	l, err := w.bring(w.dumps(w.elsewhere("plain", garmin.RegionGlobal).Stripped()))
	if err != nil {
		t.Fatal(err)
	}
	within(t, "the end", l.ReconnectBefore.Sub(l.AsOf), 23*time.Hour, 25*time.Hour)
}
