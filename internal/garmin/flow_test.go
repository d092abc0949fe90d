package garmin_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// diary is what a client reported, and how long it waited, without waiting.
type diary struct {
	attempts []garmin.Attempt
	waits    []time.Duration
}

func (d *diary) options(sim *garmintest.Server, flows ...garmin.Flow) garmin.Options {
	return garmin.Options{
		Transport: sim.Transport(), Now: sim.Now, Flows: flows,
		Report: func(_ context.Context, a garmin.Attempt) { d.attempts = append(d.attempts, a) },
		Wait:   func(ctx context.Context, w time.Duration) error { d.waits = append(d.waits, w); return ctx.Err() },
	}
}

// told is the flows that were tried, and what each answered.
func (d *diary) told() string {
	var words []string
	for _, a := range d.attempts {
		words = append(words, a.Flow+":"+name(a.Kind))
	}
	return strings.Join(words, " ")
}

func login(t *testing.T, c *garmin.Client, email string) (*garmin.Ticket, *garmin.Challenge, error) {
	t.Helper()
	return c.Login(t.Context(), garmin.RegionGlobal, email, garmintest.DemoPassword)
}

func TestFlowsAreNamed(t *testing.T) {
	t.Parallel()
	var names []string
	for _, f := range garmin.DefaultFlows() {
		again, err := garmin.ParseFlow(f.String())
		if err != nil || again.String() != f.String() {
			t.Errorf("%s: %v, %v", f, again, err)
		}
		names = append(names, f.String())
	}
	if want := []string{"ios", "android", "widget", "portal"}; !slices.Equal(names, want) {
		t.Errorf("default order %v; want %v", names, want)
	}
	for _, bad := range []string{"", "IOS", "mobile"} {
		if _, err := garmin.ParseFlow(bad); err == nil {
			t.Errorf("ParseFlow(%q) finds one", bad)
		}
	}
}

// ordersOfFlows are the accounts and faults that flows meet, and what is told of
// each flow that was tried.
var ordersOfFlows = map[string]struct {
	email string
	plan  func(*garmintest.Server)
	told  string
}{
	"the first one works": {"plain", nil, "ios:session"},
	"one flow follows a limited client": {"plain", func(s *garmintest.Server) {
		s.LimitClient(ios, 1)
	}, "ios:client_limited android:session"},
	"and no more": {"plain", func(s *garmintest.Server) {
		s.LimitClient(ios, 1)
		s.LimitClient(android, 1)
	}, "ios:client_limited android:client_limited"},
	"not even after a block": {"plain", func(s *garmintest.Server) {
		s.LimitClient(ios, 1)
		s.Fail(garmintest.OpPage, garmintest.EdgeBlocked, 1)
	}, "ios:client_limited android:blocked"},
	"a limited address bars all": {"plain", func(s *garmintest.Server) {
		s.Fail(garmintest.OpLogin, garmintest.AddressLimited(0), 1)
	}, "ios:rate_limited"},
	"also by a page": {"plain", func(s *garmintest.Server) {
		s.Fail(garmintest.OpLogin, garmintest.EdgeBlocked, 1)
		s.Fail(garmintest.OpPage, garmintest.AddressLimited(0), 1)
	}, "ios:blocked android:rate_limited"},
	"blocked everywhere": {"plain", func(s *garmintest.Server) {
		s.Fail(garmintest.OpLogin, garmintest.EdgeBlocked, 0)
	}, "ios:blocked android:blocked widget:blocked portal:blocked"},
	"captcha everywhere": {"captcha", nil, "ios:captcha android:captcha widget:captcha portal:captcha"},
	"wrong password":     {"nobody", nil, "ios:credentials"},
	"locked":             {"locked", nil, "ios:locked"},
	"child":              {"child", nil, "ios:child"},
	"no answer to the password": {"plain", func(s *garmintest.Server) {
		s.Fail(garmintest.OpLogin, garmintest.AnswerLost, 1)
	}, "ios:unavailable"},
	"an unknown answer to it": {"plain", func(s *garmintest.Server) {
		s.Fail(garmintest.OpLogin, garmintest.UnknownType, 1)
	}, "ios:protocol"},
	"a page that is down": {"widget", func(s *garmintest.Server) {
		s.Fail(garmintest.OpPage, garmintest.ServerError, 1)
	}, "ios:flow_refused android:unavailable widget:session"},
	"the widget alone": {"widget", nil, "ios:flow_refused android:flow_refused widget:session"},
	"the portal alone": {"portal", nil, "ios:flow_refused android:flow_refused widget:flow_refused portal:session"},
	"a code asked by the second": {"mfa", func(s *garmintest.Server) {
		s.LimitClient(ios, 1)
	}, "ios:client_limited android:session"},
}

const ios, android = "GCM_IOS_DARK", "GCM_ANDROID_DARK"

func TestOrderOfFlows(t *testing.T) {
	t.Parallel()
	for name, tt := range ordersOfFlows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim, _ := newGarmin(t)
			for _, only := range []string{"widget", "portal"} {
				sim.Add(garmintest.Account{Email: only + "@garmin.example", Password: garmintest.DemoPassword, Flows: []string{only}})
			}
			if tt.plan != nil {
				tt.plan(sim)
			}
			var d diary
			_, _, err := login(t, garmin.New(d.options(sim, garmin.DefaultFlows()...)), tt.email+"@garmin.example")
			if d.told() != tt.told {
				t.Errorf("told %q; want %q", d.told(), tt.told)
			}
			if last := d.attempts[len(d.attempts)-1]; last.Op == "login" && last.Kind != garmin.KindOf(err) {
				t.Errorf("Login says %v", err)
			}
			checkSilent(t, sim, err)
		})
	}
}

func TestWhatAPasswordWasToldOutweighsALaterPage(t *testing.T) {
	t.Parallel()
	sim, _ := newGarmin(t)
	sim.Fail(garmintest.OpPage, garmintest.ServerError, 0)
	var d diary
	_, _, err := login(t, garmin.New(d.options(sim, garmin.DefaultFlows()...)), "captcha@garmin.example")
	if garmin.KindOf(err) != garmin.KindCaptcha || d.told() != "ios:captcha android:unavailable widget:unavailable portal:unavailable" {
		t.Errorf("%v after %s", err, d.told())
	}
}

func TestPausesAreKept(t *testing.T) {
	t.Parallel()
	sim, _ := newGarmin(t)
	var d diary
	c := garmin.New(d.options(sim, garmin.Widget, garmin.Portal, garmin.IOS.WithPause(garmin.Pause{Min: time.Second, Max: time.Second})))
	sim.Fail(garmintest.OpLogin, garmintest.EdgeBlocked, 2)
	if _, _, err := login(t, c, "plain@garmin.example"); err != nil {
		t.Fatal(err)
	}
	bounds := []garmin.Pause{{Min: 3 * time.Second, Max: 8 * time.Second}, {Min: 10 * time.Second, Max: 20 * time.Second}, {Min: time.Second, Max: time.Second}}
	for i, b := range bounds {
		if len(d.waits) != len(bounds) || d.waits[i] < b.Min || d.waits[i] > b.Max {
			t.Fatalf("waited %v; want within %v", d.waits, bounds)
		}
	}
}

func TestLoginEndsInTime(t *testing.T) {
	t.Parallel()
	sim, _ := newGarmin(t)
	sim.Fail(garmintest.OpLogin, garmintest.FlowRefused, 0)
	var d diary
	c := garmin.New(d.options(sim, garmin.IOS, garmin.Portal, garmin.Android))
	c.SetLoginTime(30 * time.Second)
	_, _, err := login(t, c, "plain@garmin.example")
	if garmin.KindOf(err) != garmin.KindFlowRefused || d.told() != "ios:flow_refused android:flow_refused" {
		t.Errorf("%v after %s: the portal's pause does not fit", err, d.told())
	}
	c = garmin.New(garmin.Options{Flows: []garmin.Flow{garmin.IOS}, Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	})})
	c.SetLoginTime(time.Millisecond)
	_, _, err = login(t, c, "plain@garmin.example")
	want(t, err, garmin.KindUnavailable, true)
	if errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v passes for a deadline of the caller's", err)
	}
}

func TestPauseEndsWithTheCaller(t *testing.T) {
	t.Parallel()
	sim, _ := newGarmin(t)
	ctx, cancel := context.WithCancel(t.Context())
	c := garmin.New(garmin.Options{
		Transport: sim.Transport(), Flows: []garmin.Flow{garmin.Widget, garmin.IOS},
		Wait: func(ctx context.Context, d time.Duration) error {
			cancel()
			return garmin.Sleep(ctx, d)
		},
	})
	_, _, err := c.Login(ctx, garmin.RegionGlobal, "plain@garmin.example", garmintest.DemoPassword)
	if e := want(t, err, garmin.KindUnavailable, false); e.Op != "page" || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if n := sim.Calls(garmintest.OpLogin); n != 0 {
		t.Errorf("the password was sent %d times", n)
	}
}

func TestPauseIsAsLongAsItSays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if err := garmin.Sleep(t.Context(), 7*time.Second); err != nil || time.Since(began) != 7*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

func TestReportNamesWhatGarminSaid(t *testing.T) {
	t.Parallel()
	sim, _ := newGarmin(t)
	var d diary
	c := garmin.New(d.options(sim, garmin.IOS))
	for _, email := range []string{"plain", "mfa", "locked"} {
		_, _, _ = login(t, c, email+"@garmin.example")
	}
	want := []garmin.Attempt{
		{Flow: "ios", Region: garmin.RegionGlobal, Op: "login", Type: "SUCCESSFUL"},
		{Flow: "ios", Region: garmin.RegionGlobal, Op: "login", Type: "MFA_REQUIRED"},
		{Flow: "ios", Region: garmin.RegionGlobal, Op: "login", Kind: garmin.KindLocked, Status: 401, Type: "ACCOUNT_LOCKED"},
	}
	for i := range d.attempts {
		if d.attempts[i].Took <= 0 {
			t.Errorf("attempt %d took %v", i, d.attempts[i].Took)
		}
		d.attempts[i].Took = 0
	}
	if !slices.Equal(d.attempts, want) {
		t.Errorf("reported %+v", d.attempts)
	}
}
