package garmintest_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

const ourOrigin = "http://127.0.0.1:8080"

// pageAddress is where garminlink sends a browser while Garmin is simulated.
func pageAddress(t *testing.T, s *garmintest.Server, region garmin.Region, frame bool) string {
	t.Helper()
	origin, err := s.ListenPages(string(region), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := garmin.HandoffURL(region)
	if frame {
		if address, err = garmin.HandoffFrameURL(region, ourOrigin); err != nil {
			t.Fatal(err)
		}
	}
	return strings.Replace(address, garmin.SSOOrigin(region), origin, 1)
}

// mustRedeem takes what a person brought as far as a session.
func mustRedeem(t *testing.T, s *garmintest.Server, region garmin.Region, text string) {
	t.Helper()
	ticket, err := garmin.ParseTicket(region, text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	c := garmin.New(garmin.Options{Transport: s.Transport(), Now: s.Now})
	if _, err := c.Exchange(t.Context(), ticket); err != nil {
		t.Errorf("exchange: %v", err)
	}
}

func TestPersonSignsInOnTheSimulatedPages(t *testing.T) {
	t.Parallel()
	login := func(name string) []string {
		return []string{"username", name + "@garmin.example", "password", garmintest.DemoPassword}
	}
	code := []string{"mfa-code", garmintest.DemoCode}
	for name, tt := range map[string]struct {
		region garmin.Region
		steps  [][]string
	}{
		"at once":                {garmin.RegionGlobal, [][]string{login("plain")}},
		"in China":               {garmin.RegionChina, [][]string{login("china")}},
		"code by mail":           {garmin.RegionGlobal, [][]string{login("mfa"), code}},
		"code by app, in China":  {garmin.RegionChina, [][]string{login("abroad"), code}},
		"wrong password first":   {garmin.RegionGlobal, [][]string{{"username", "plain@garmin.example", "password", "x"}, {"password", garmintest.DemoPassword}}},
		"wrong code first":       {garmin.RegionGlobal, [][]string{login("sms"), {"mfa-code", "000000"}, code}},
		"captcha":                {garmin.RegionGlobal, [][]string{login("captcha"), append(login("captcha"), "g-recaptcha-response", "solved")}},
		"another account before": {garmin.RegionGlobal, [][]string{login("locked"), login("plain")}},
	} {
		for _, frame := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, frame %t", name, frame), func(t *testing.T) {
				t.Parallel()
				s := newServer(t)
				s.Add(garmintest.Account{Email: "abroad@garmin.example", Password: garmintest.DemoPassword, Region: garmintest.China, MFA: "totp", Code: garmintest.DemoCode})
				p := newPerson(t)
				p.open(pageAddress(t, s, tt.region, frame))
				for _, typed := range tt.steps {
					p.submit(typed...)
				}
				mustRedeem(t, s, tt.region, p.brought(frame))
			})
		}
	}
}

func TestLastPageShowsWhatTheAddressBarWould(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := newPerson(t)
	p.open(pageAddress(t, s, garmin.RegionGlobal, false))
	p.submit("username", "plain@garmin.example", "password", garmintest.DemoPassword)
	if strings.Contains(p.raw, "location") || strings.Contains(p.raw, "href") {
		t.Errorf("the last page goes on: %s", p.raw)
	}
	if !strings.Contains(p.raw, ">https://sso.garmin.com/sso/embed?ticket=ST-") || !strings.Contains(p.raw, "what the address bar would show at Garmin") {
		t.Errorf("the last page does not show Garmin's address: %s", p.raw)
	}
}

func TestCookiesOfPagesFitPlainHTTP(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	address := pageAddress(t, s, garmin.RegionGlobal, true)
	resp := newPerson(t).do(http.MethodGet, address, nil)
	defer func() { _ = resp.Body.Close() }()
	cookies := resp.Cookies()
	if len(cookies) < 3 {
		t.Errorf("sets %v", cookies)
	}
	for _, c := range cookies {
		if c.Secure || c.Domain != "" || c.SameSite != http.SameSiteLaxMode || !strings.HasPrefix(c.Name, "garmin.com-") {
			t.Errorf("a browser drops or confuses %v", c)
		}
	}
}

// One browser keeps the cookies of both regions, and garminlink's own, under one host.
func TestPagesOfTwoRegionsDoNotMeet(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := newPerson(t)
	p.open(pageAddress(t, s, garmin.RegionGlobal, false))
	p.submit("username", "mfa@garmin.example", "password", garmintest.DemoPassword)
	waiting := p.screen
	p.open(pageAddress(t, s, garmin.RegionChina, false))
	p.submit("username", "china@garmin.example", "password", garmintest.DemoPassword)
	mustRedeem(t, s, garmin.RegionChina, p.brought(false))
	p.screen = waiting
	p.submit("mfa-code", garmintest.DemoCode)
	mustRedeem(t, s, garmin.RegionGlobal, p.brought(false))
}

func TestEveryPageLeadsBackToTheSignIn(t *testing.T) {
	t.Parallel()
	for name, stray := range map[string]func(s *garmintest.Server, p *person){
		"the code came too late": func(s *garmintest.Server, p *person) {
			s.Advance(time.Hour)
			p.submit("mfa-code", garmintest.DemoCode)
		},
		"the last page again": func(_ *garmintest.Server, p *person) {
			p.submit("mfa-code", garmintest.DemoCode)
			p.open(p.address.String())
		},
	} {
		s := newServer(t)
		p := newPerson(t)
		p.open(pageAddress(t, s, garmin.RegionGlobal, false))
		p.submit("username", "mfa@garmin.example", "password", garmintest.DemoPassword)
		stray(s, p)
		if p.fields.Get("_csrf") == "" {
			t.Errorf("%s: %d %s", name, p.status, p.raw)
			continue
		}
		p.submit("username", "plain@garmin.example", "password", garmintest.DemoPassword)
		mustRedeem(t, s, garmin.RegionGlobal, p.brought(false))
	}
}

func TestPagesHaveFaultsToo(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := newPerson(t)
	address := pageAddress(t, s, garmin.RegionGlobal, false)
	s.Fail(garmintest.OpPage, garmintest.EdgeBlocked, 1)
	if p.open(address); p.status != http.StatusForbidden {
		t.Errorf("blocked: %d", p.status)
	}
	s.Fail(garmintest.OpPage, garmintest.Truncated, 1)
	resp := p.do(http.MethodGet, address, nil)
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("a truncated page came whole")
	}
}

func TestPagesEndWithTheServer(t *testing.T) {
	t.Parallel()
	s := new(garmintest.Server)
	origin, err := s.ListenPages(garmintest.Global, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if resp, err := newPerson(t).hc.Get(origin); err == nil {
		_ = resp.Body.Close()
		t.Error("the pages outlive the server")
	}
	if _, err := s.ListenPages(garmintest.Global, "127.0.0.1:0"); err == nil {
		t.Error("a closed server listens")
	}
	if _, err := new(garmintest.Server).ListenPages("garmin.de", "127.0.0.1:0"); err == nil {
		t.Error("an unknown region has pages")
	}
}
