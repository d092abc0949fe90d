package garmin_test

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

func TestLoginEndsAsTheAccountSays(t *testing.T) {
	t.Parallel()
	const right = garmintest.DemoPassword
	tests := []struct {
		name, email string
		region      garmin.Region
		password    garmin.Secret
		kind        garmin.Kind
		typ         string
	}{
		{"wrong password", "plain@garmin.example", garmin.RegionGlobal, "nope", garmin.KindCredentials, "INVALID_USERNAME_PASSWORD"},
		{"unknown user", "nobody@garmin.example", garmin.RegionGlobal, right, garmin.KindCredentials, "INVALID_USERNAME_PASSWORD"},
		{"locked", "locked@garmin.example", garmin.RegionGlobal, right, garmin.KindLocked, "ACCOUNT_LOCKED"},
		{"captcha", "captcha@garmin.example", garmin.RegionGlobal, right, garmin.KindCaptcha, "CAPTCHA_REQUIRED"},
		{"child", "child@garmin.example", garmin.RegionGlobal, right, garmin.KindChild, "LOGIN_DENIED"},
		{"Chinese account on garmin.com", "china@garmin.example", garmin.RegionGlobal, right, garmin.KindCredentials, "INVALID_USERNAME_PASSWORD"},
		{"global account on garmin.cn", "plain@garmin.example", garmin.RegionChina, right, garmin.KindCredentials, "INVALID_USERNAME_PASSWORD"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sim, c := newGarmin(t)
			ticket, ch, err := c.Login(t.Context(), tt.region, tt.email, tt.password)
			if ticket != nil || ch != nil {
				t.Errorf("got %v, %v beside the error", ticket, ch)
			}
			if e := want(t, err, tt.kind, false); e.Type != tt.typ {
				t.Errorf("type %q; want %q", e.Type, tt.typ)
			}
			checkSilent(t, sim, err)
		})
	}
}

func TestLoginGivesATicketForItsRegion(t *testing.T) {
	t.Parallel()
	_, c := newGarmin(t)
	got := mustTicket(t, c, garmin.RegionGlobal, "plain@garmin.example")
	if got.ServiceURL != "https://mobile.integration.garmin.com/gcm/ios" || got.Region != garmin.RegionGlobal {
		t.Errorf("ticket for %s, %s", got.ServiceURL, got.Region)
	}
	got = mustTicket(t, c, garmin.RegionChina, "china@garmin.example")
	if got.ServiceURL != "https://mobile.integration.garmin.cn/gcm/ios" || got.Region != garmin.RegionChina {
		t.Errorf("ticket for %s, %s", got.ServiceURL, got.Region)
	}
}

func TestLoginAnswers(t *testing.T) {
	t.Parallel()
	checkOutcomes(t, garmintest.OpLogin, append(everyCall(), loginOnly()...), func(_ *testing.T, _ *garmintest.Server, c *garmin.Client) func(context.Context) error {
		return func(ctx context.Context) error {
			_, _, err := c.Login(ctx, garmin.RegionGlobal, "plain@garmin.example", garmintest.DemoPassword)
			return err
		}
	})
}

// loginOnly are answers whose meaning is known from Garmin's words.
func loginOnly() []outcome {
	refusal := func(status int, typ, message string, kind garmin.Kind) outcome {
		return outcome{name: typ + " " + message, fault: garmintest.RespondType(status, typ, message), kind: kind, typ: typ}
	}
	long := strings.Repeat("A", 80)
	unknown := refusal(200, "SOMETHING_NEW", "generalSomethingNew", garmin.KindProtocol)
	unknown.sent = true
	dirty := refusal(401, "<b>x y\n"+long, "", garmin.KindProtocol)
	dirty.typ = "bxy" + long[:60] + "A"
	dirty.typ = dirty.typ[:64]
	broken := outcome{name: "success without a ticket", fault: garmintest.RespondType(200, "SUCCESSFUL", ""), kind: garmin.KindProtocol, sent: true, typ: "SUCCESSFUL"}
	forged := outcome{
		name: "ticket of another shape", kind: garmin.KindProtocol, sent: true, typ: "SUCCESSFUL",
		fault: garmintest.Respond(200, "application/json", `{"serviceTicketId":"ST-1&x=y","responseStatus":{"type":"SUCCESSFUL"}}`),
	}
	problem := outcome{
		name: "problem document", kind: garmin.KindProtocol,
		fault: garmintest.Respond(400, "application/problem+json", `{"type":"about:blank","title":"Bad Request","status":400}`),
	}
	return []outcome{
		unknown, dirty, broken, forged, problem,
		refusal(401, "ANOTHER_NEW", "", garmin.KindProtocol),
		refusal(500, "INVALID_USERNAME_PASSWORD", "", garmin.KindCredentials),
		refusal(401, "FAILED", "generalLoginMobileAccountLocked", garmin.KindLocked),
		refusal(401, "FAILED", "generalLoginMobileAccountDisabled", garmin.KindAttention),
		refusal(401, "FAILED", "casLoginViewRenewPassword", garmin.KindAttention),
		refusal(403, "FAILED", "applicationSecurityPolicyLoginDeniedChildAccountText", garmin.KindChild),
		refusal(401, "RECONSENT_REQUIRED", "", garmin.KindAttention),
		refusal(200, "FAILED", "generalValidationMaxLogins", garmin.KindClientLimited),
		refusal(429, "FAILED", "", garmin.KindClientLimited),
		refusal(401, "SESSION_EXPIRED", "", garmin.KindProtocol),
		refusal(401, "FAILED", "codeEntryInvalid", garmin.KindProtocol),
	}
}

func TestAndroidOpensThePageFirst(t *testing.T) {
	t.Parallel()
	sim, _ := newGarmin(t)
	c := newClient(sim, garmin.Android)
	got := mustTicket(t, c, garmin.RegionGlobal, "plain@garmin.example")
	if got.ServiceURL != "https://mobile.integration.garmin.com/gcm/android" {
		t.Errorf("ticket for %s", got.ServiceURL)
	}
	if n := sim.Calls(garmintest.OpPage); n != 1 {
		t.Errorf("the page was opened %d times", n)
	}
	ch := mustChallenge(t, c, "mfa@garmin.example")
	if _, err := c.SubmitCode(t.Context(), ch, garmintest.DemoCode); err != nil {
		t.Error(err)
	}
}

func TestPasswordStaysHereWhenThePageFails(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault garmintest.Fault
		kind  garmin.Kind
		sent  bool
	}{
		"address limited":          {garmintest.AddressLimited(0), garmin.KindRateLimited, false},
		"blocked":                  {garmintest.EdgeBlocked, garmin.KindBlocked, false},
		"down":                     {garmintest.ServerError, garmin.KindUnavailable, true},
		"reset":                    {garmintest.Reset, garmin.KindUnavailable, true},
		"redirect elsewhere":       {redirect("https://example.com/mobile/sso/en/sign-in"), garmin.KindProtocol, false},
		"redirect to plain http":   {redirect("http://sso.garmin.com/mobile/sso/en/sign-in"), garmin.KindProtocol, false},
		"redirect to a port":       {redirect("https://sso.garmin.com:8443/"), garmin.KindProtocol, false},
		"redirect to other region": {redirect("https://sso.garmin.cn/mobile/sso/en/sign-in"), garmin.KindProtocol, false},
		"redirect with user":       {redirect("https://x@sso.garmin.com/"), garmin.KindProtocol, false},
		"lookalike host":           {redirect("https://sso.garmin.com.example.com/"), garmin.KindProtocol, false},
		"redirect in a circle":     {redirect("https://sso.garmin.com/mobile/sso/en/sign-in?clientId=GCM_ANDROID_DARK"), garmin.KindUnavailable, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim, _ := newGarmin(t)
			sim.Fail(garmintest.OpPage, tt.fault, 0)
			_, _, err := newClient(sim, garmin.Android).Login(t.Context(), garmin.RegionGlobal, "plain@garmin.example", garmintest.DemoPassword)
			want(t, err, tt.kind, tt.sent)
			if n := sim.Calls(garmintest.OpLogin); n != 0 {
				t.Errorf("the password was sent %d times", n)
			}
		})
	}
}

func TestPageMayRedirectInsideGarmin(t *testing.T) {
	t.Parallel()
	sim, _ := newGarmin(t)
	sim.Fail(garmintest.OpPage, redirect("https://sso.garmin.com/mobile/sso/en/sign-in?clientId=GCM_ANDROID_DARK"), 2)
	mustTicket(t, newClient(sim, garmin.Android), garmin.RegionGlobal, "plain@garmin.example")
}

func TestAnotherFlowFollowsOnlyAnUnjudgedPassword(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault  garmintest.Fault
		logins int
	}{
		"client limited":  {garmintest.ClientLimited(200, 0), 2},
		"blocked":         {garmintest.EdgeBlocked, 2},
		"427":             {garmintest.FlowRefused, 2},
		"captcha":         {garmintest.RespondType(200, "CAPTCHA_REQUIRED", ""), 2},
		"address limited": {garmintest.AddressLimited(0), 1},
		"wrong password":  {garmintest.RespondType(401, "INVALID_USERNAME_PASSWORD", ""), 1},
		"answer lost":     {garmintest.AnswerLost, 1},
		"truncated":       {garmintest.Truncated, 1},
		"down":            {garmintest.ServerError, 1},
		"unknown":         {garmintest.UnknownType, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim, _ := newGarmin(t)
			sim.Fail(garmintest.OpLogin, tt.fault, 1)
			ticket, _, err := newClient(sim, garmin.IOS, garmin.Android).Login(t.Context(), garmin.RegionGlobal, "plain@garmin.example", garmintest.DemoPassword)
			if n := sim.Calls(garmintest.OpLogin); n != tt.logins || (err == nil) != (tt.logins == 2) {
				t.Errorf("%d logins, error %v; want %d logins", n, err, tt.logins)
			}
			if err == nil && !strings.HasSuffix(ticket.ServiceURL, "/gcm/android") {
				t.Errorf("the ticket is for %s", ticket.ServiceURL)
			}
		})
	}
}

func TestOwnTimeoutIsNotTheCallers(t *testing.T) {
	t.Parallel()
	c := garmin.New(garmin.Options{Flows: []garmin.Flow{garmin.IOS}, Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	})})
	c.SetTimeout(time.Millisecond)
	_, _, err := c.Login(t.Context(), garmin.RegionGlobal, "plain@garmin.example", garmintest.DemoPassword)
	want(t, err, garmin.KindUnavailable, true)
	if errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v passes for a deadline of the caller's", err)
	}
}

func TestCallersDeadlineStaysVisible(t *testing.T) {
	t.Parallel()
	sim, c := newGarmin(t)
	sim.Fail(garmintest.OpLogin, garmintest.Slow, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, _, err := c.Login(ctx, garmin.RegionGlobal, "plain@garmin.example", garmintest.DemoPassword)
	if garmin.KindOf(err) != garmin.KindUnavailable || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v hides the deadline", err)
	}
}

func TestCallersEndStaysVisible(t *testing.T) {
	t.Parallel()
	sim, c := newGarmin(t)
	defer sim.Hold(garmintest.OpLogin)()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, _, err := c.Login(ctx, garmin.RegionGlobal, "plain@garmin.example", garmintest.DemoPassword)
		done <- err
	}()
	if err := sim.AwaitCalls(t.Context(), garmintest.OpLogin, 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	err := <-done
	want(t, err, garmin.KindUnavailable, true)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v hides the cancellation", err)
	}
	_, _, err = c.Login(ctx, garmin.RegionGlobal, "plain@garmin.example", garmintest.DemoPassword)
	want(t, err, garmin.KindUnavailable, false)
	if !errors.Is(err, context.Canceled) || sim.Calls(garmintest.OpLogin) != 1 {
		t.Errorf("%v after %d calls", err, sim.Calls(garmintest.OpLogin))
	}
}

func TestUnreachableGarminWasSentNothing(t *testing.T) {
	t.Parallel()
	sim, c := newGarmin(t)
	sim.Close()
	_, _, err := c.Login(t.Context(), garmin.RegionGlobal, "plain@garmin.example", garmintest.DemoPassword)
	e := want(t, err, garmin.KindUnavailable, false)
	if !strings.Contains(e.Error(), "connection refused") {
		t.Errorf("%v does not say why", e)
	}
}

func TestUntrustedCertificateIsNamed(t *testing.T) {
	t.Parallel()
	sim, _ := newGarmin(t)
	rt := sim.Transport().(*http.Transport)
	rt.TLSClientConfig.RootCAs = x509.NewCertPool()
	_, _, err := garmin.New(garmin.Options{Transport: rt, Flows: []garmin.Flow{garmin.IOS}}).Login(t.Context(), garmin.RegionGlobal, "plain@garmin.example", garmintest.DemoPassword)
	e := want(t, err, garmin.KindUnavailable, false)
	if !strings.Contains(e.Error(), "unknown authority") {
		t.Errorf("%v does not say why", e)
	}
}

func TestForeignTransportCountsAsSent(t *testing.T) {
	t.Parallel()
	c := garmin.New(garmin.Options{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		return nil, errors.New("quotes the ticket ST-1-secret-sso")
	})})
	_, err := c.Exchange(t.Context(), &garmin.Ticket{Value: "ST-1-secret-sso", ServiceURL: "x", Region: garmin.RegionGlobal})
	e := want(t, err, garmin.KindUnavailable, true)
	if strings.Contains(e.Error(), "secret") {
		t.Errorf("%v shows the ticket", e)
	}
}

func TestUnknownRegionReachesNoHost(t *testing.T) {
	t.Parallel()
	c := garmin.New(garmin.Options{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		t.Errorf("asked %s", r.URL)
		return nil, errors.New("no")
	})})
	for _, r := range []garmin.Region{"", "example.com", "garmin.com.example.com", "garmin.com/x"} {
		_, _, err := c.Login(t.Context(), r, "a@b.example", "x")
		if garmin.KindOf(err) == "" {
			t.Errorf("region %q: %v", r, err)
		}
		if _, err := garmin.ParseRegion(string(r)); err == nil {
			t.Errorf("ParseRegion(%q) accepts it", r)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
