package garmin

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestJarGivesCookiesWhereTheyBelong(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	tests := []struct{ set, at, ask, want string }{
		{"a=1; Path=/", "https://sso.garmin.com/mobile/api/login", "https://sso.garmin.com/x", "a=1"},
		{"a=1", "https://sso.garmin.com/mobile/api/login", "https://sso.garmin.com/mobile/api/mfa", "a=1"},
		{"a=1", "https://sso.garmin.com/mobile/api/login", "https://sso.garmin.com/mobile/apix", ""},
		{"a=1", "https://sso.garmin.com/mobile/api/login", "https://sso.garmin.com/", ""},
		{"a=1; Path=/sso", "https://sso.garmin.com/", "https://sso.garmin.com/sso/x", "a=1"},
		{"a=1; Path=/", "https://sso.garmin.com/", "https://connect.garmin.com/", ""},
		{"a=1; Path=/; Domain=garmin.com", "https://sso.garmin.com/", "https://connect.garmin.com/", "a=1"},
		{"a=1; Path=/; Domain=.GARMIN.com", "https://sso.garmin.com/", "https://connect.garmin.com", "a=1"},
		{"a=1; Path=/; Domain=com", "https://sso.garmin.com/", "https://sso.garmin.com/", ""},
		{"a=1; Path=/; Domain=connect.garmin.com", "https://sso.garmin.com/", "https://connect.garmin.com/", ""},
		{"a=1; Path=/; Domain=min.com", "https://sso.garmin.com/", "https://sso.garmin.com/", ""},
		{"a=1; Path=/; Domain=garmin.cn", "https://sso.garmin.com/", "https://sso.garmin.cn/", ""},
		{"a=1; Path=/; Max-Age=60", "https://sso.garmin.com/", "https://sso.garmin.com/", "a=1"},
		{"a=1; Path=/; Max-Age=0", "https://sso.garmin.com/", "https://sso.garmin.com/", ""},
		{"a=1; Path=/; Expires=Wed, 01 Jan 2020 00:00:00 GMT", "https://sso.garmin.com/", "https://sso.garmin.com/", ""},
		{`a="1 2"; Path=/`, "https://sso.garmin.com/", "https://sso.garmin.com/", `a="1 2"`},
		{"a=" + strings.Repeat("x", maxCookieBytes), "https://sso.garmin.com/", "https://sso.garmin.com/", ""},
	}
	for _, tt := range tests {
		j := &jar{region: RegionGlobal, now: func() time.Time { return now }}
		resp := http.Response{Header: http.Header{"Set-Cookie": {tt.set}}}
		j.SetCookies(mustURL(t, tt.at), resp.Cookies())
		if got := sent(t, j, tt.ask); got != tt.want {
			t.Errorf("%.60s at %s: %s gets %.60q; want %q", tt.set, tt.at, tt.ask, got, tt.want)
		}
	}
}

func sent(t *testing.T, j *jar, ask string) string {
	t.Helper()
	req := http.Request{Header: http.Header{}}
	for _, c := range j.Cookies(mustURL(t, ask)) {
		req.AddCookie(c)
	}
	return req.Header.Get("Cookie")
}

func TestJarReplacesOrdersAndForgets(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	j := &jar{region: RegionGlobal, now: func() time.Time { return now }}
	u := mustURL(t, "https://sso.garmin.com/mobile/")
	set := func(cookies ...*http.Cookie) { j.SetCookies(u, cookies) }
	set(&http.Cookie{Name: "a", Value: "1", Path: "/"}, &http.Cookie{Name: "b", Value: "1", Path: "/mobile", MaxAge: 60})
	set(&http.Cookie{Name: "a", Value: "2", Path: "/"})
	if got := sent(t, j, "https://sso.garmin.com/mobile/x"); got != "b=1; a=2" {
		t.Errorf("sends %q", got)
	}
	now = now.Add(time.Minute)
	if got := sent(t, j, "https://sso.garmin.com/mobile/x"); got != "a=2" {
		t.Errorf("after a minute it sends %q", got)
	}
	set(&http.Cookie{Name: "a", Path: "/", MaxAge: -1})
	if got := sent(t, j, "https://sso.garmin.com/mobile/x"); got != "" {
		t.Errorf("after deletion it sends %q", got)
	}
	for i := range 2 * maxCookies {
		set(&http.Cookie{Name: strings.Repeat("n", i+1), Value: "v", Path: "/"})
	}
	if len(j.cookies) > maxCookies {
		t.Errorf("it holds %d cookies", len(j.cookies))
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
	tests := map[string]time.Duration{
		"": 0, "x": 0, "-5": 0, "1.5": 0, "0": 0, "30": 30 * time.Second,
		"99999999": 24 * time.Hour, "99999999999999999999": 0,
		now.Add(time.Minute).Format(http.TimeFormat):       time.Minute,
		now.Add(-time.Minute).Format(http.TimeFormat):      0,
		now.Add(1e5 * time.Second).Format(http.TimeFormat): 24 * time.Hour,
	}
	for in, want := range tests {
		if got := parseRetryAfter(in, now); got != want {
			t.Errorf("%q: %v; want %v", in, got, want)
		}
	}
}

func TestPythonStrings(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"plain": `"plain"`, "a\"b\\c/d": `"a\"b\\c/d"`, "\n\r\t\b\f": `"\n\r\t\b\f"`, "\x00\x1f\x7f": "\"\\u0000\\u001f\x7f\"",
		"é": `"\u00e9"`, "跑": `"\u8dd1"`, "🏃": `"\ud83c\udfc3"`, "<&>": `"<&>"`,
	}
	for in, want := range tests {
		if got := string(appendPython(nil, in)); got != want {
			t.Errorf("%q: %s; want %s", in, got, want)
		}
	}
}
