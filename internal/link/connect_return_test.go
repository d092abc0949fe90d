package link

import (
	"strings"
	"testing"
)

func TestReturnURLs(t *testing.T) {
	t.Parallel()
	allowed, err := ParseReturnURLs("https://app.example.com/garmin, https://open.example.com/,https://port.example.com:8443, http://localhost:8000, ")
	if err != nil || len(allowed) != 4 {
		t.Fatalf("%v, %v", allowed, err)
	}
	for text, want := range map[string]bool{
		"https://app.example.com/garmin":            true,
		"https://app.example.com/garmin/":           true,
		"https://app.example.com/garmin/back?a=b&c": true,
		"https://APP.example.com/garmin?":           true,
		"https://app.example.com:443/garmin":        true,
		"https://open.example.com":                  true,
		"https://open.example.com/any/where?x=1":    true,
		"https://port.example.com:8443/x":           true,
		"http://localhost:8000/back":                true,

		"https://app.example.com":                                       false,
		"https://app.example.com/":                                      false,
		"https://app.example.com/garminx":                               false,
		"https://app.example.com/garmin%2f..%2fadmin":                   false,
		"https://app.example.com/garmin/../admin":                       false,
		"https://app.example.com/garmin/%2e%2e/admin":                   false,
		"https://app.example.com/garmin/..%2fadmin":                     false,
		"https://app.example.com/garmin\\..\\admin":                     false,
		"https://app.example.com/garmin/.\t./admin":                     false,
		"https://app.example.com/other":                                 false,
		"http://app.example.com/garmin":                                 false,
		"https://app.example.com:8443/garmin":                           false,
		"https://port.example.com/x":                                    false,
		"https://app.example.com.evil.example/garmin":                   false,
		"https://app.example.com@evil.example/garmin":                   false,
		"https://me:pw@app.example.com/garmin":                          false,
		"https://app.example.com/garmin#x":                              false,
		"https://app.example.com/garmin#":                               false,
		"https://app.example.com./garmin":                               false,
		"https://app.example.com:/garmin":                               false, // its origin stands in policies, which know no empty port
		"//app.example.com/garmin":                                      false,
		"/garmin":                                                       false,
		"https:app.example.com/garmin":                                  false,
		"javascript:alert(1)//app.example.com/garmin":                   false,
		"https://open.example.com/?state=mine":                          false,
		"https://open.example.com/?x=1&code=1":                          false,
		"https://open.example.com/?%65rror=1":                           false,
		"https://open.example.com/?x=%zz":                               false,
		"https://open.example.com/\u00fc":                               false,
		"http://localhost/back":                                         false,
		"http://127.0.0.1:8000/back":                                    false,
		"":                                                              false,
		"https://open.example.com/" + strings.Repeat("x", maxReturnURL): false,
	} {
		if err := allowed.check(text); (err == nil) != want {
			t.Errorf("%s: %v, want it allowed: %v", text, err, want)
		}
	}
	if err := (ReturnURLs)(nil).check("https://open.example.com/"); err == nil {
		t.Error("an empty list allows something")
	}
}

func TestReturnURLsThatCannotBeAllowed(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"app.example.com", "ftp://app.example.com", "https://", "https://a.example?x=1", "https://a.example/#x", "https://a.example/../x", "https://*.a.example/ x"} {
		if urls, err := ParseReturnURLs(text); err == nil {
			t.Errorf("%q is taken as %v", text, urls)
		}
	}
}

func TestWayBackKeepsTheQuery(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"https://a.example/back":             "https://a.example/back?code=c&state=s+%26",
		"https://a.example":                  "https://a.example?code=c&state=s+%26",
		"https://a.example/back?":            "https://a.example/back?code=c&state=s+%26",
		"https://a.example/back?b=%20&a&b=2": "https://a.example/back?b=%20&a&b=2&code=c&state=s+%26",
		"":                                   "",
	} {
		c := ConnectSession{ReturnURL: url, State: "s &"}
		if got := c.back("code", "c").Reveal(); got != want {
			t.Errorf("%s leads back to %s, want %s", url, got, want)
		}
	}
}

func FuzzReturnURLs(f *testing.F) {
	allowed, err := ParseReturnURLs("https://app.example.com/garmin")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"https://app.example.com/garmin/x?y=z", "https://app.example.com/garmin/%2e%2e/x", "https://app.example.com\\@evil.example"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if allowed.check(text) != nil {
			return
		}
		back := (&ConnectSession{ReturnURL: text, State: "s"}).back("code", "c").Reveal()
		lower := strings.ToLower(back)
		if !strings.HasPrefix(lower, "https://app.example.com/garmin") && !strings.HasPrefix(lower, "https://app.example.com:443/garmin") {
			t.Errorf("%q leads back to %q", text, back)
		}
	})
}
