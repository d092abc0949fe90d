package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
)

func TestFlowsAreReadInOrder(t *testing.T) {
	t.Parallel()
	var f flows
	if err := f.UnmarshalText([]byte("widget:1s-2s, ios")); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprint([]garmin.Flow{garmin.Widget.WithPause(garmin.Pause{Min: time.Second, Max: 2 * time.Second}), garmin.IOS})
	if got := fmt.Sprint([]garmin.Flow(f)); got != want || f[0] != garmin.Widget.WithPause(garmin.Pause{Min: time.Second, Max: 2 * time.Second}) {
		t.Errorf("read as %s, want %s", got, want)
	}
}

func TestFaultsOfGarminSettingsAreNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ variable, value, says string }{
		{"GARMIN_FLOWS", "ios,web", `GARMIN_FLOWS: "web" is neither`},
		{"GARMIN_FLOWS", "ios,ios", "ios stands there twice"},
		{"GARMIN_FLOWS", "widget:8s-3s", `"8s-3s" is not a pause`},
		{"GARMIN_FLOWS", "widget:3s-2m", "at most 40s"},
		{"GARMIN_FLOWS", "widget:3s", "is not a pause"},
		{"GARMIN_CLIENT_IDS", "A,b c", `"b c" is not a client id`},
		{"GARMIN_CONSUMER", "key:hush", "GARMIN_CONSUMER: is not JSON"},
		{"GARMIN_CONSUMER", `{"consumer_key":"hush"}`, "is not JSON of the form"},
	} {
		_, err := load[Garmin]([]string{prefix + c.variable + "=" + c.value})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s=%s: %v, want %q", c.variable, c.value, err, c.says)
		}
		if err != nil && c.variable == "GARMIN_CONSUMER" && strings.Contains(err.Error(), "hush") {
			t.Errorf("the error quotes a secret: %v", err)
		}
	}
}

func TestStandInsKeepThePath(t *testing.T) {
	t.Parallel()
	for region, origin := range map[string]string{"garmin.com": "http://127.0.0.1:1", "garmin.cn": "https://sso.garmin.cn"} {
		page, err := signInPages("https://link.example.com", map[string]string{"garmin.com": "http://127.0.0.1:1"})(region)
		if err != nil {
			t.Fatal(err)
		}
		for _, address := range []string{page.URL, page.FrameURL} {
			if !strings.HasPrefix(address, origin+"/sso/signin?") {
				t.Errorf("%s: %s", region, address)
			}
		}
		if page.Origin != origin {
			t.Errorf("%s: %s", region, page.Origin)
		}
	}
}
