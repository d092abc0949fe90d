package garmin_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/garminlink/garminlink/internal/garmin"
)

func TestHandoffAddresses(t *testing.T) {
	t.Parallel()
	for _, r := range []garmin.Region{garmin.RegionGlobal, garmin.RegionChina} {
		sso := "https://sso." + string(r)
		tab, err := url.Parse(garmin.HandoffURL(r))
		if err != nil {
			t.Fatal(err)
		}
		q := tab.Query()
		for _, key := range []string{"service", "source", "redirectAfterAccountLoginUrl", "redirectAfterAccountCreationUrl"} {
			if q.Get(key) != sso+"/sso/embed" {
				t.Errorf("tab: %s is %q", key, q.Get(key))
			}
		}
		address, err := garmin.HandoffFrameURL(r, "https://link.example:8443")
		if err != nil {
			t.Fatal(err)
		}
		frame, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		q = frame.Query()
		if q.Get("source") != "https://link.example:8443" || q.Get("consumeServiceTicket") != "false" || q.Has("redirectAfterAccountLoginUrl") {
			t.Errorf("frame: %s", address)
		}
		for _, u := range []*url.URL{tab, frame} {
			if u.Scheme+"://"+u.Host != garmin.SSOOrigin(r) || u.Path != "/sso/signin" || u.Query().Get("id") != "gauth-widget" {
				t.Errorf("address %s", u)
			}
		}
	}
}

func TestFrameNeedsAnOrigin(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"https://link.example", "http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]"} {
		if _, err := garmin.HandoffFrameURL(garmin.RegionGlobal, good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "link.example", "http://link.example", "https://link.example/", "https://link.example?x", "https://u@link.example", "javascript:alert(1)", "https://"} {
		if _, err := garmin.HandoffFrameURL(garmin.RegionGlobal, bad); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

func TestTicketIsFoundInWhatIsPasted(t *testing.T) {
	t.Parallel()
	const ticket = "ST-2459533-YeWiOAMHdTmHqEyWcWeI-cas"
	for name, text := range map[string]string{
		"bare":                  ticket,
		"bare with white":       "\n " + ticket + "\t",
		"address":               "https://sso.garmin.com/sso/embed?ticket=" + ticket,
		"address with more":     "https://sso.garmin.com/sso/embed?x=1&ticket=" + ticket + "&y=2#z",
		"address in capitals":   "HTTPS://sso.garmin.com/sso/embed?ticket=" + ticket,
		"encoded address":       "https%3A%2F%2Fsso.garmin.com%2Fsso%2Fembed%3Fticket%3D" + ticket,
		"the parameter":         "ticket=" + ticket,
		"in a sentence":         "It says https://sso.garmin.com/sso/embed?ticket=" + ticket + ".",
		"HTML":                  `<a href="https://sso.garmin.com/sso/embed?a=b&amp;ticket=` + ticket + `">`,
		"the page's own text":   `var response_url = "https:\/\/sso.garmin.com\/sso\/embed?ticket=` + ticket + `";` + "\n var x = response_url.indexOf('ticket=');",
		"the same ticket twice": "ticket=" + ticket + " ticket=" + ticket,
	} {
		got, err := garmin.ParseTicket(garmin.RegionGlobal, text)
		if err != nil || got.Value.Reveal() != ticket || got.ServiceURL != "https://sso.garmin.com/sso/embed" || got.Region != garmin.RegionGlobal {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOtherTicketsAreRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		text  string
		fault garmin.Fault
	}{
		"nothing":              {"  ", garmin.FaultEmpty},
		"too much":             {strings.Repeat("x", 1<<20), garmin.FaultTooLong},
		"a sentence":           {"It did not work", garmin.FaultNoTicket},
		"the sign-in page":     {garmin.HandoffURL(garmin.RegionGlobal), garmin.FaultNoTicket},
		"another kind":         {"ticket=TGT-1-abc-cas", garmin.FaultNoTicket},
		"an empty one":         {"ticket=ST-...", garmin.FaultNoTicket},
		"part of a word":       {"myticket=ST-1-a-cas", garmin.FaultNoTicket},
		"two":                  {"ticket=ST-1-a-cas ticket=ST-2-b-cas", garmin.FaultTickets},
		"the other region":     {"https://sso.garmin.cn/sso/embed?ticket=ST-1-a-cas", garmin.FaultRegion},
		"another service":      {"https://connect.garmin.com/app?ticket=ST-1-a-cas", garmin.FaultService},
		"another path":         {"https://sso.garmin.com/sso/login?ticket=ST-1-a-cas", garmin.FaultService},
		"another site":         {"https://example.com/sso/embed?ticket=ST-1-a-cas", garmin.FaultService},
		"a site that looks so": {"https://sso.garmin.com@example.com/sso/embed?ticket=ST-1-a-cas", garmin.FaultService},
		"without TLS":          {"http://sso.garmin.com/sso/embed?ticket=ST-1-a-cas", garmin.FaultService},
	} {
		got, err := garmin.ParseTicket(garmin.RegionGlobal, tt.text)
		e, ok := errors.AsType[*garmin.InputError](err)
		if got != nil || !ok || e.Fault != tt.fault {
			t.Errorf("%s: %v, %v; want %s", name, got, err, tt.fault)
		}
	}
}
