package garmintest_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

const (
	page    = "https://sso.garmin.com/mobile/sso/en/sign-in?clientId=GCM_ANDROID_DARK"
	service = "https://mobile.integration.garmin.com/gcm/android"
	query   = "?clientId=GCM_ANDROID_DARK&locale=en-US&service=" + service
	login   = "https://sso.garmin.com/mobile/api/login" + query
	verify  = "https://sso.garmin.com/mobile/api/mfa/verifyCode" + query
	resend  = "https://sso.garmin.com/mobile/api/mfa/sendCode" + query
	token   = "https://diauth.garmin.com/di-oauth2-service/oauth/token"
	profile = "https://connectapi.garmin.com/userprofile-service/socialProfile"
	client  = "GARMIN_CONNECT_MOBILE_ANDROID_DI_2025Q2"
	grant   = "https://connectapi.garmin.com/di-oauth2-service/oauth/grant/service_ticket"
)

// browser asks a Server by hand, with cookies.
type browser struct {
	t  *testing.T
	hc *http.Client
}

type answer struct {
	status  int
	header  http.Header
	cookies []string
	body    map[string]any
	raw     string
}

func newServer(t *testing.T) *garmintest.Server {
	t.Helper()
	s := new(garmintest.Server)
	t.Cleanup(s.Close)
	return s
}

func newBrowser(t *testing.T, rt http.RoundTripper) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, &http.Client{Transport: rt, Jar: jar}}
}

func (b *browser) do(method, u, contentType, body string, header ...string) answer {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, u, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("User-Agent", "GCM-iOS-5.22.1.4")
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := b.hc.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	a := answer{status: resp.StatusCode, header: resp.Header, raw: string(raw)}
	_ = json.NewDecoder(bytes.NewReader(raw)).Decode(&a.body)
	for _, c := range resp.Cookies() {
		a.cookies = append(a.cookies, c.Name)
	}
	return a
}

func (b *browser) get(u string, header ...string) answer { return b.do("GET", u, "", "", header...) }

func (b *browser) post(u, body string, header ...string) answer {
	return b.do("POST", u, "application/json", body, header...)
}

func (b *browser) form(values url.Values, header ...string) answer {
	r, _ := http.NewRequest("GET", "https://x", nil)
	r.SetBasicAuth(values.Get("client_id"), "")
	header = append([]string{"Authorization", r.Header.Get("Authorization")}, header...)
	return b.do("POST", token, "application/x-www-form-urlencoded", values.Encode(), header...)
}

func (b *browser) login(email, password string) answer {
	return b.post(login, fmt.Sprintf(`{"username":%q,"password":%q,"rememberMe":false,"captchaToken":""}`, email, password))
}

func (b *browser) verify(method, code string) answer {
	return b.post(verify, fmt.Sprintf(`{"mfaMethod":%q,"mfaVerificationCode":%q,"rememberMyBrowser":false,"reconsentList":[],"mfaSetup":false}`, method, code))
}

// tokens signs in to a demo account and exchanges the ticket.
func (b *browser) tokens(email string) answer {
	b.t.Helper()
	ticket, _ := b.login(email, garmintest.DemoPassword).body["serviceTicketId"].(string)
	a := b.form(url.Values{"client_id": {client}, "grant_type": {grant}, "service_ticket": {ticket}, "service_url": {service}})
	if a.status != 200 {
		b.t.Fatalf("exchange: %d %s", a.status, a.raw)
	}
	return a
}

func (b *browser) refresh(token string) answer {
	return b.form(url.Values{"client_id": {client}, "grant_type": {"refresh_token"}, "refresh_token": {token}})
}

func (a answer) text(key string) string { s, _ := a.body[key].(string); return s }

func (a answer) statusType() string {
	rs, _ := a.body["responseStatus"].(map[string]any)
	s, _ := rs["type"].(string)
	return s
}

func TestProxyLeadsOtherProcessesToGarminOnly(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	proxyURL, ca, err := s.ListenProxy("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := url.Parse(proxyURL)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		t.Fatalf("no certificate in %q", ca)
	}
	rt := &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	defer rt.CloseIdleConnections()
	b := newBrowser(t, rt)
	if a := b.login("plain@garmin.example", garmintest.DemoPassword); a.statusType() != "SUCCESSFUL" {
		t.Errorf("login by proxy: %d %s", a.status, a.raw)
	}
	for _, u := range []string{"https://example.com/", "https://www.garmin.com/", "https://sso.garmin.com:8443/", "http://sso.garmin.com/", "https://127.0.0.1/"} {
		resp, err := (&http.Client{Transport: rt}).Get(u)
		if err == nil {
			_ = resp.Body.Close()
		}
		if err == nil && resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s: status %d", u, resp.StatusCode)
		}
	}
}

func TestTransportReachesGarminOnly(t *testing.T) {
	t.Parallel()
	hc := &http.Client{Transport: newServer(t).Transport()}
	for _, u := range []string{"https://example.com/", "https://www.garmin.com/", "https://sso.garmin.com:8443/"} {
		if resp, err := hc.Get(u); err == nil {
			_ = resp.Body.Close()
			t.Errorf("%s: status %d", u, resp.StatusCode)
		}
	}
}

func TestCloseEndsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	s := new(garmintest.Server)
	s.Fail(garmintest.OpPage, garmintest.Slow, 0)
	release := s.Hold(garmintest.OpProfile)
	defer release()
	proxyURL, _, err := s.ListenProxy("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hc := &http.Client{Transport: s.Transport()}
	ended := make(chan error, 2)
	for _, u := range []string{page, profile} {
		go func() {
			req, _ := http.NewRequest("GET", u, nil)
			req.Header.Set("User-Agent", "x")
			_, err := hc.Do(req) //nolint:bodyclose // there is none
			ended <- err
		}()
	}
	for _, op := range []garmintest.Op{garmintest.OpPage, garmintest.OpProfile} {
		if err := s.AwaitCalls(t.Context(), op, 1); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	for range 2 {
		if err := <-ended; err == nil {
			t.Error("a call was answered by a server that closed")
		}
	}
	if resp, err := http.Get(proxyURL); err == nil {
		_ = resp.Body.Close()
		t.Error("the proxy still answers")
	}
	s.Close()
	if _, _, err := s.ListenProxy("127.0.0.1:0"); err == nil {
		t.Error("a closed server listens again")
	}
}

func TestFaultsComeInOrderAndEnd(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := newBrowser(t, s.Transport())
	s.Fail(garmintest.OpPage, garmintest.EdgeBlocked, 2)
	s.Fail(garmintest.OpPage, garmintest.AddressLimited(time.Minute), 0)
	for _, want := range []int{403, 403, 429, 429} {
		if a := b.get(page); a.status != want {
			t.Errorf("status %d; want %d", a.status, want)
		}
	}
	s.Clear()
	if a := b.get(page); a.status != 200 || s.Calls(garmintest.OpPage) != 5 {
		t.Errorf("status %d after %d calls", a.status, s.Calls(garmintest.OpPage))
	}
}

func TestHeldCallsGoOnWhenReleased(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	rt := s.Transport()
	release := s.Hold(garmintest.OpPage)
	done := make(chan int, 3)
	for range 3 {
		go func() { done <- newBrowser(t, rt).get(page).status }()
	}
	if err := s.AwaitCalls(t.Context(), garmintest.OpPage, 3); err != nil {
		t.Fatal(err)
	}
	if len(done) != 0 {
		t.Error("a held call was answered")
	}
	release()
	release()
	for range 3 {
		if status := <-done; status != 200 {
			t.Errorf("status %d", status)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.AwaitCalls(ctx, garmintest.OpPage, 4); err == nil {
		t.Error("AwaitCalls did not give up")
	}
}

func TestSecretsKnowsEveryValue(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := newBrowser(t, s.Transport())
	b.login("plain@garmin.example", "a wrong one")
	tokens := b.tokens("plain@garmin.example")
	b.login("mfa@garmin.example", garmintest.DemoPassword)
	b.verify("email", "987654")
	secrets := s.Secrets()
	u, _ := url.Parse(login)
	wanted := []string{
		"a wrong one", garmintest.DemoPassword, garmintest.DemoCode, "987654", tokens.text("access_token"), tokens.text("refresh_token"),
	}
	for _, c := range b.hc.Jar.Cookies(u) {
		if c.Name != "GARMIN-SSO-CUST-GUID" && c.Name != "GMN_TRACKABLE" {
			wanted = append(wanted, c.Value)
		}
	}
	for _, want := range wanted {
		if want == "" || !slices.Contains(secrets, want) {
			t.Errorf("%q is missing", want)
		}
	}
}
