package link_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/google/uuid"
)

func TestPlainLoginMakesTheLinkActive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.start("plain")
	if l.State != (link.State{Session: link.Live}) || l.LastValidated.IsZero() || l.GarminName == "" {
		t.Fatalf("link is %+v", l)
	}
	if w.garmin.Calls(garmintest.OpProfile) != 1 {
		t.Errorf("Garmin's API was asked %d times, want once", w.garmin.Calls(garmintest.OpProfile))
	}
	w.wantEvents("login_done: not_linked -> active")
	if got := one[string](w, "SELECT request_id FROM link_events"); got != "req-1" {
		t.Errorf("request id is %q", got)
	}
}

func TestAnyReplicaFinishesAnMFALogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := w.start("mfa")
	if l.Challenge == nil || l.Challenge.Method != link.MethodEmail || l.Challenge.SentTo == "" || l.Challenge.AttemptsLeft != 5 {
		t.Fatalf("challenge is %+v", l.Challenge)
	}
	l, err := w.replica().SubmitCode(context.Background(), w.act(), l.Challenge.ID, "123 456")
	if err != nil {
		t.Fatal(err)
	}
	if l.State != (link.State{Session: link.Live}) || l.Challenge != nil {
		t.Fatalf("link is %+v", l)
	}
	w.wantEvents("code_asked: not_linked -> mfa_pending", "code_accepted: mfa_pending -> active")
}

func TestRefusedLoginsChangeNothing(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		account string
		fault   garmintest.Fault
		want    link.Kind
	}{
		{"locked", "locked", nil, link.AccountLocked},
		{"child", "child", nil, link.ChildAccount},
		{"captcha", "captcha", nil, link.Captcha},
		{"unknown account", "nobody", nil, link.WrongPassword},
		{"edge", "plain", garmintest.EdgeBlocked, link.Blocked},
		{"address limit", "plain", garmintest.AddressLimited(time.Hour), link.RateLimited},
		{"client limit", "plain", garmintest.ClientLimited(200, 0), link.RateLimited},
		{"server error", "plain", garmintest.ServerError, link.Unavailable},
		{"reset", "plain", garmintest.Reset, link.Unavailable},
		{"truncated", "plain", garmintest.Truncated, link.Unavailable},
		{"unknown answer", "plain", garmintest.UnknownType, link.UnknownAnswer},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if c.fault != nil {
				w.garmin.Fail(garmintest.OpLogin, c.fault, 1)
			}
			_, err := w.links.Start(context.Background(), w.act(), credentials(c.account))
			wantKind(t, err, c.want)
			w.wantState("not_linked")
			w.wantEvents()
			if w.garmin.Calls(garmintest.OpLogin) != 1 {
				t.Errorf("the password was sent %d times", w.garmin.Calls(garmintest.OpLogin))
			}
		})
	}
}

func TestBadFieldsNeverReachGarmin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := credentials("plain")
	for want, c := range map[link.Kind]link.Credentials{
		link.InvalidEmail:    {Email: "not an address", Password: good.Password, Region: good.Region},
		link.InvalidPassword: {Email: good.Email, Region: good.Region},
		link.InvalidRegion:   {Email: good.Email, Password: good.Password, Region: "garmin.example"},
	} {
		_, err := w.links.Start(context.Background(), w.act(), c)
		wantKind(t, err, want)
	}
	if n := w.garmin.Calls(garmintest.OpLogin); n != 0 {
		t.Errorf("Garmin was asked %d times", n)
	}
}

func TestCoolDownSparesGarminAndNamesTheWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.garmin.Fail(garmintest.OpLogin, garmintest.AddressLimited(time.Hour), 1)
	_, err := w.links.Start(context.Background(), w.act(), credentials("plain"))
	if e := wantKind(t, err, link.RateLimited); e.RetryAfter != time.Hour {
		t.Errorf("wait is %s, want 1h", e.RetryAfter)
	}
	// Another replica and another account leave by the same address.
	_, err = w.replica().Start(context.Background(), w.act(), credentials("mfa"))
	if e := wantKind(t, err, link.RateLimited); e.RetryAfter < 59*time.Minute || e.RetryAfter > time.Hour {
		t.Errorf("wait is %s, want about 1h", e.RetryAfter)
	}
	if n := w.garmin.Calls(garmintest.OpLogin); n != 1 {
		t.Errorf("Garmin was asked %d times during the cool-down", n)
	}
	w.advance(time.Hour + time.Second)
	w.start("plain")
}

func TestClientLimitCoolsOnlyThatAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.garmin.Fail(garmintest.OpLogin, garmintest.ClientLimited(429, time.Minute), 1)
	_, err := w.links.Start(context.Background(), w.act(), credentials("mfa"))
	wantKind(t, err, link.RateLimited)
	_, err = w.links.Start(context.Background(), w.act(), credentials("mfa"))
	wantKind(t, err, link.RateLimited)
	w.start("plain")
}

func TestNobodyTestsPasswordsThroughUs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := credentials("plain")
	c.Password = "wrong"
	for range 10 {
		_, err := w.links.Start(context.Background(), w.act(), c)
		wantKind(t, err, link.WrongPassword)
	}
	_, err := w.links.Start(context.Background(), w.act(), credentials("plain"))
	if e := wantKind(t, err, link.TooManyFailures); e.RetryAfter < 23*time.Hour {
		t.Errorf("wait is %s, want about a day", e.RetryAfter)
	}
	if n := w.garmin.Calls(garmintest.OpLogin); n != 10 {
		t.Errorf("Garmin was asked %d times, want 10", n)
	}
	w.advance(24*time.Hour + time.Minute)
	w.start("plain")
}

func TestThreeGarminAccountsADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 3 {
		_, err := w.links.Start(context.Background(), w.act(), credentials(fmt.Sprint("stranger", i)))
		wantKind(t, err, link.WrongPassword)
	}
	_, err := w.links.Start(context.Background(), w.act(), credentials("plain"))
	wantKind(t, err, link.TooManyAccounts)
	_, err = w.links.Start(context.Background(), w.act(), credentials("stranger1"))
	wantKind(t, err, link.WrongPassword)
}

func TestOwnAccountIsAlwaysAllowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.advance(25 * time.Hour) // the first login no longer counts
	for i := range 3 {
		_, err := w.links.Start(context.Background(), w.act(), credentials(fmt.Sprint("stranger", i)))
		wantKind(t, err, link.WrongPassword)
	}
	w.start("plain")
}

func TestDoubleClickAsksGarminOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	release := w.garmin.Hold(garmintest.OpLogin)
	results := make(chan error, 2)
	form := credentials("mfa")
	form.Form = uuid.New()
	for _, s := range []*link.Service{w.links, w.replica()} {
		go func() {
			l, err := s.Start(context.Background(), w.act(), form)
			if err == nil && l.Challenge == nil {
				err = fmt.Errorf("no challenge in %+v", l)
			}
			results <- err
		}()
	}
	w.awaitCalls(garmintest.OpLogin, 1)
	release()
	for range 2 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if n := w.garmin.Calls(garmintest.OpLogin); n != 1 {
		t.Errorf("Garmin was asked %d times", n)
	}
}

func TestBothClicksHearTheSameRefusal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.garmin.Fail(garmintest.OpLogin, garmintest.AddressLimited(time.Hour), 1)
	release := w.garmin.Hold(garmintest.OpLogin)
	results := make(chan error, 2)
	submit := func(s *link.Service) {
		_, err := s.Start(context.Background(), w.act(), credentials("plain"))
		results <- err
	}
	go submit(w.links)
	w.awaitCalls(garmintest.OpLogin, 1)
	go submit(w.replica())
	release()
	for range 2 {
		if e := wantKind(t, <-results, link.RateLimited); e.RetryAfter < 59*time.Minute {
			t.Errorf("wait is %s", e.RetryAfter)
		}
	}
}

func TestALoginLostInACrashBlocksNobodyForLong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec("INSERT INTO garmin_login_attempts (id, user_id, email_mac) VALUES ($1, $2, 'x')", uuid.New(), w.user)
	w.advance(91 * time.Second)
	w.start("plain")
	if got := one[string](w, "SELECT outcome FROM garmin_login_attempts WHERE email_mac = 'x'"); got != "lost" {
		t.Errorf("outcome is %q", got)
	}
}

func TestUnlinkDuringALoginWins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	release := w.garmin.Hold(garmintest.OpLogin)
	result := make(chan error, 1)
	go func() {
		_, err := w.links.Start(context.Background(), w.act(), credentials("plain"))
		result <- err
	}()
	w.awaitCalls(garmintest.OpLogin, 1)
	if err := w.links.Unlink(context.Background(), w.act()); err != nil {
		t.Fatal(err)
	}
	release()
	wantKind(t, <-result, link.Superseded)
	w.wantState("not_linked")
}

// A closed browser must not cost the user a code that Garmin has mailed.
func TestLoginIsFinishedWhenTheBrowserGoesAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	release := w.garmin.Hold(garmintest.OpLogin)
	ctx, leave := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = w.links.Start(ctx, w.act(), credentials("mfa"))
	}()
	w.awaitCalls(garmintest.OpLogin, 1)
	leave()
	release()
	<-done
	w.wantState("mfa_pending")
}

func TestFreshTokenThatTheAPIRefusesForAMomentIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.garmin.Fail(garmintest.OpProfile, garmintest.Unauthorized, 1)
	w.start("plain")
	w.wantState("active")
}

func TestLoginCountsOnlyOnceTheAPIWorked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.garmin.Fail(garmintest.OpProfile, garmintest.Unauthorized, 3)
	_, err := w.links.Start(context.Background(), w.act(), credentials("plain"))
	wantKind(t, err, link.TokenRefused)
	w.wantState("not_linked")
}

func TestAnotherUsersGarminAccountIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	other := link.Act{User: w.newUser("other@example.com"), By: link.ByUser}
	_, err := w.links.Start(context.Background(), other, credentials("plain"))
	wantKind(t, err, link.AccountTaken)
	if l, _ := w.links.View(context.Background(), other); l.State != (link.State{}) {
		t.Errorf("the other user's link is %s", l.State)
	}
	w.wantState("active")
}

func TestCredentialsDoNotPrint(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		if got := fmt.Sprintf(verb, credentials("plain")); got != "[redacted]" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}
