package web_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// elsewhere is a program that asks the site's Garmin on its own, by the
// widget's pages: its tickets are those of Garmin's own page.
func (s *site) elsewhere() *garmin.Client {
	return garmin.New(garmin.Options{
		Transport: s.garmin.Transport(), Flows: []garmin.Flow{garmin.Widget.WithPause(garmin.Pause{})},
	})
}

// ticket is how a sign-in on Garmin's own page ends.
func (s *site) ticket(account string, region garmin.Region) *garmin.Ticket {
	s.t.Helper()
	ctx, c := context.Background(), s.elsewhere()
	ticket, challenge, err := c.Login(ctx, region, account+"@garmin.example", garmintest.DemoPassword)
	if err == nil && challenge != nil {
		ticket, err = c.SubmitCode(ctx, challenge, garmintest.DemoCode)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return ticket
}

// address is what the user pastes.
func (s *site) address(account string, region garmin.Region) string {
	s.t.Helper()
	return "https://sso." + string(region) + "/sso/embed?ticket=" + s.ticket(account, region).Value.Reveal()
}

func (b *browser) handOff(text, region string) *page {
	b.t.Helper()
	return b.post("/link/ticket", "ticket", text, "region", region)
}

func TestHandoffLinks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		account, name string
		region        garmin.Region
	}{
		{"plain", "Pia Plain", garmin.RegionGlobal},
		{"mfa", "Max Mail", garmin.RegionGlobal},
		{"china", "Chen Run", garmin.RegionChina},
	} {
		t.Run(c.account, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			b := s.runner()
			p := b.get("/link/handoff?region=" + string(c.region)).want(http.StatusOK)
			if got := p.value("/link/ticket", "region"); got != string(c.region) {
				t.Fatalf("the page is for %q", got)
			}
			b.handOff(s.address(c.account, c.region), string(c.region)).wantRedirect("/link")
			b.get("/link").wantText("Active", "You linked "+c.name+" . Not you?", string(c.region))
			if strings.Contains(b.get("/link").text(), "Not you?") {
				t.Error("who is linked is asked after again and again")
			}
			b.post("/link/unlink", "confirm", "yes").wantRedirect("/link")
			b.get("/link").wantText("Not linked")
		})
	}
}

func TestHandoffPageIsOfTheLinksRegion(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	region := func(path, want string) {
		t.Helper()
		if got := b.get(path).want(http.StatusOK).value("/link/ticket", "region"); got != want {
			t.Errorf("GET %s is of %q, want %q", path, got, want)
		}
	}
	region("/link/handoff", "garmin.com")
	region("/link/handoff?region=garmin.cn", "garmin.cn")
	region("/link/handoff?region=garmin.example", "garmin.com")
	b.handOff(s.address("china", garmin.RegionChina), "garmin.cn").wantRedirect("/link")
	region("/link/handoff", "garmin.cn")
	region("/link/handoff?region=garmin.com", "garmin.com")
	b.get("/link/ticket").wantRedirect("/link/handoff")
	s.browser().get("/link/handoff?region=garmin.cn").wantRedirect("/signin?next=%2Flink%2Fhandoff%3Fregion%3Dgarmin.cn")
}

func TestFaultsOfTicketsStandAtTheField(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	for _, c := range []struct{ text, says string }{
		{"", "ends in ticket=ST-…"},
		{"I-am-signed-in", "ends in ticket=ST-…"},
		{"ticket=ST-1-a ticket=ST-2-b", "More than one ticket"},
		{"https://connect.garmin.com/app?ticket=ST-1-a", "does not come from the page that we open"},
		{"https://sso.garmin.com/sso/embed?ticket=ST-1-a", "of Garmin’s other region"},
		{"https://sso.garmin.cn/sso/embed?ticket=ST-1-neverseen", "older than a minute or two"},
	} {
		p := b.handOff(c.text, "garmin.cn").want(http.StatusUnprocessableEntity).wantText(c.says)
		if field := p.element("ticket"); field == nil || attr(field, "aria-invalid") != "true" || !has(field, "autofocus") {
			t.Errorf("%s: the field is not at fault in\n%s", c.text, p.source)
		}
		if p.value("/link/ticket", "region") != "garmin.cn" {
			t.Errorf("%s: the page forgot its region", c.text)
		}
		if c.text != "" && strings.Contains(p.source, c.text) {
			t.Errorf("%s: the page keeps what was pasted", c.text)
		}
	}
	b.handOff("ST-1-a", "garmin.example").want(http.StatusUnprocessableEntity).wantText("Garmin region missing")
	b.get("/link").wantText("Not linked")
}

func TestHandoffIsRefusedOnItsOwnPage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	address := s.address("plain", garmin.RegionGlobal)
	s.garmin.Fail(garmintest.OpExchange, garmintest.AddressLimited(7*time.Minute), 1)
	p := b.handOff(address, "garmin.com").want(http.StatusTooManyRequests).wantText("Garmin asks us to slow down", "Wait until the time is over")
	if p.Header.Get("Retry-After") != "420" || p.element("ticket") == nil {
		t.Errorf("Retry-After %q in\n%s", p.Header.Get("Retry-After"), p.source)
	}
}

func TestHandoffToAnotherAccountAsks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	b.link("plain").wantRedirect("/link")
	b.handOff(s.address("mfa", garmin.RegionGlobal), "garmin.com").wantRedirect("/link")
	p := b.get("/link").wantText("Use another Garmin account?", "Max Mail", "Pia Plain")
	if strings.Contains(p.text(), "Not you?") {
		t.Error("two questions at once")
	}
	b.post("/link/replace", "confirm", "yes").wantRedirect("/link")
	b.get("/link").wantText("Active", "Max Mail")
}

func TestHandoffByHTMX(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	b.header.Set("HX-Request", "true")
	b.header.Set("HX-Current-URL", b.url+"/link/handoff?region=garmin.com")
	p := b.handOff("nothing", "garmin.com").want(http.StatusUnprocessableEntity)
	if p.element("ticket") == nil || p.element("main") != nil || p.Header.Get("HX-Push-Url") != "" {
		t.Errorf("the fault pushes %q:\n%s", p.Header.Get("HX-Push-Url"), p.source)
	}
	p = b.handOff(s.address("plain", garmin.RegionGlobal), "garmin.com").want(http.StatusOK).wantText("Active", "You linked Pia Plain . Not you?")
	if p.element("status") == nil || p.element("main") != nil || p.Header.Get("HX-Push-Url") != "/link" {
		t.Errorf("success pushes %q:\n%s", p.Header.Get("HX-Push-Url"), p.source)
	}
}

// Nothing but the page of the hand-off may show a frame, and that only Garmin's.
func TestFramesAreGarminsAndOnlyThere(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	b.link("plain").wantRedirect("/link")
	const frames = "frame-src https://sso.garmin.com https://sso.garmin.cn"
	for _, p := range []*page{
		b.get("/link/handoff"), b.get("/link/handoff?region=garmin.cn"), b.handOff("nothing", "garmin.com"),
	} {
		policy := p.Header.Get("Content-Security-Policy")
		if !slices.Contains(strings.Split(policy, "; "), frames) || !scriptNonce.MatchString(policy) || !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("%s: the policy is %s", p.request, policy)
		}
	}
	for _, p := range []*page{
		b.get("/link"), b.get("/link/import"), b.get("/link/export"), b.get("/link/status"), b.get("/nowhere"), b.get("/link/ticket"),
		b.post("/link", "email", "x"), b.post("/link/import"), b.post("/link/export"), s.browser().get("/"),
	} {
		if policy := p.Header.Get("Content-Security-Policy"); policy == "" || strings.Contains(policy, "frame-src") {
			t.Errorf("%s: the policy is %s", p.request, policy)
		}
	}
}

func TestGarminsOwnPageIsOfferedWhenWeAreTurnedAway(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, account string
		fault         garmintest.Fault
		status        int
	}{
		{"captcha", "captcha", nil, http.StatusUnprocessableEntity},
		{"blocked", "plain", garmintest.EdgeBlocked, http.StatusUnprocessableEntity},
		{"limited", "plain", garmintest.AddressLimited(time.Minute), http.StatusTooManyRequests},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			b := s.runner()
			if c.fault != nil {
				s.garmin.Fail(garmintest.OpLogin, c.fault, 1)
			}
			first := "From here, Garmin turned the last sign-in away."
			b.link(c.account).want(c.status).wantText(first, "Sign in on Garmin’s own page instead")
			if c.name == "limited" { // Garmin is not asked again, and the answer is the same
				b.link(c.account).want(c.status).wantText(first, "Sign in on Garmin’s own page instead")
			}
			before := first
			if c.name == "limited" {
				before = "Garmin has asked us for a pause: it takes no password from here for another"
			}
			b.get("/link").wantText(before)
			b.handOff(s.address("plain", garmin.RegionGlobal), "garmin.com").wantRedirect("/link")
			if text := b.get("/link").text(); strings.Contains(text, first) {
				t.Error("it is offered first for ever")
			}
		})
	}
}

func TestProgressIsShown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b, other := s.runner(), s.runner()
	release := s.garmin.Hold(garmintest.OpLogin)
	t.Cleanup(release)
	var linked *page
	done := make(chan struct{})
	go func() {
		defer close(done)
		linked = b.link("plain")
	}()
	if err := s.garmin.AwaitCalls(t.Context(), garmintest.OpLogin, 1); err != nil {
		t.Fatal(err)
	}
	s.db.Advance(t, 20*time.Second)
	other.get("/link/status?shown=not_linked").wantText("Asking Garmin for 2") // 20 seconds, and some if we are slow
	if _, err := s.db.Pool.Exec(t.Context(), "UPDATE garmin_login_attempts SET paused_until = app_now() + interval '1 minute'"); err != nil {
		t.Fatal(err)
	}
	other.get("/link").wantText("so we wait as a person would: up to")
	release()
	<-done
	linked.wantRedirect("/link")
	if strings.Contains(b.get("/link").text(), "Asking Garmin for") {
		t.Error("it is shown for ever")
	}
}
