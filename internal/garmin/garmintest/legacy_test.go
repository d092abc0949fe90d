package garmintest_test

import (
	"strings"
	"testing"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

const (
	consumerFile  = "https://thegarth.s3.amazonaws.com/oauth_consumer.json"
	preauthorized = "https://connectapi.garmin.com/oauth-service/oauth/preauthorized"
	oauth1        = "https://connectapi.garmin.com/oauth-service/oauth/exchange/user/2.0"
)

func TestConsumerFileIsAllThatItsHostHas(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, newServer(t).Transport())
	if a := b.get(consumerFile); a.status != 200 || shape(a.body) != "consumer_key:string consumer_secret:string" {
		t.Errorf("%d %s", a.status, a.raw)
	}
	for address, header := range map[string]string{consumerFile: "Bearer x", consumerFile + "?x=1": "", "https://thegarth.s3.amazonaws.com/": ""} {
		if a := b.get(address, "Authorization", header); a.status == 200 {
			t.Errorf("%s with %q: %s", address, header, a.raw)
		}
	}
}

func TestUnsignedOAuth1IsRefused(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, newServer(t).Transport())
	ticket := b.login("plain@garmin.example", garmintest.DemoPassword).text("serviceTicketId")
	address := preauthorized + "?ticket=" + ticket + "&login-url=" + service + "&accepts-mfa-tokens=true"
	for _, header := range []string{"", "Bearer x", `OAuth oauth_consumer_key="11111111-2222-3333-4444-555555555555"`} {
		if a := b.get(address, "Authorization", header); a.status != 401 {
			t.Errorf("%q: %d %s", header, a.status, a.raw)
		}
	}
	if a := b.do("POST", oauth1, "application/x-www-form-urlencoded", ""); a.status != 401 {
		t.Errorf("exchange: %d", a.status)
	}
}

func TestLimitsOfAClientEnd(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := newBrowser(t, s.Transport())
	s.LimitClient("GCM_ANDROID_DARK", 1)
	if a := b.login("plain@garmin.example", garmintest.DemoPassword); a.status != 429 || !strings.Contains(a.raw, `"status-code":"429"`) {
		t.Errorf("limited: %d %s", a.status, a.raw)
	}
	if a := b.login("plain@garmin.example", garmintest.DemoPassword); a.statusType() != "SUCCESSFUL" {
		t.Errorf("then: %s", a.raw)
	}
}

func TestPortalRefusesMFA(t *testing.T) {
	t.Parallel()
	address := "https://sso.garmin.com/portal/api/login?clientId=GarminConnect&locale=en-US&service=https://connect.garmin.com/app"
	body := `{"username":"mfa@garmin.example","password":"` + garmintest.DemoPassword + `","rememberMe":true,"captchaToken":""}`
	b := newBrowser(t, newServer(t).Transport())
	if a := b.post(address, body); !strings.Contains(a.raw, `"status-code":"427"`) {
		t.Errorf("as a rule: %s", a.raw)
	}
	s := &garmintest.Server{PortalMFA: true}
	t.Cleanup(s.Close)
	if a := newBrowser(t, s.Transport()).post(address, body); a.statusType() != "MFA_REQUIRED" {
		t.Errorf("as an exception: %s", a.raw)
	}
}
