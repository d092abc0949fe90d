package garmin_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
)

func vector(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

func encode(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func mustParse(t *testing.T, s string) *garmin.Session {
	t.Helper()
	parsed, err := garmin.ParseSession([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestSessionStringsOfGarthComeBackByteForByte(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		region  garmin.Region
		guid    string
		expires int64
		refresh int64
	}{
		"garth-plain.txt": {garmin.RegionGlobal, "22442b39-da03-46e7-9bc2-8dccb38cb45c", 2110669725, 1797901724},
		"garth-mfa.txt":   {garmin.RegionGlobal, "5967e32a-d198-4052-9439-5c7400476f3d", 2110669727, 1797901726},
		"garth-cn.txt":    {garmin.RegionChina, "356a1497-fcd7-45a1-8e0f-7aa5e01d8e2c", 2110669729, 1797901728},
	}
	for name, tt := range tests {
		s := mustParse(t, vector(t, name))
		if s.Region() != tt.region || s.GUID() != tt.guid || !s.ExpiresAt().Equal(time.Unix(tt.expires, 0)) ||
			!s.RefreshExpiresAt().Equal(time.Unix(tt.refresh, 0)) {
			t.Errorf("%s: %s, %s, %v, %v", name, s.Region(), s.GUID(), s.ExpiresAt(), s.RefreshExpiresAt())
		}
		if s.Dumps() != vector(t, name) {
			t.Errorf("%s: written differently", name)
		}
	}
}

func TestUnknownMembersOfASessionStay(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		`[{"oauth_token": "", "domain": "garmin.com", "new": {"b": [1.50, 1e3, null], "a": "\u00e9"}}, {"access_token": "a.b.c", "later": false}]`,
		`[{"domain": "garmin.cn"}, {"access_token": "a.b.c", "expires_at": 12345678901234567890, "na\u00efve \"key\"": {}}]`,
	} {
		if got := mustParse(t, encode(in)).Dumps(); got != encode(in) {
			b, _ := base64.StdEncoding.DecodeString(got)
			t.Errorf("got  %s\nfrom %s", b, in)
		}
	}
}

func TestDISessionHasGarthsForm(t *testing.T) {
	t.Parallel()
	_, c := newGarmin(t)
	s := mustSession(t, c)
	s, err := c.Refresh(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	dumps := s.Dumps()
	b, err := base64.StdEncoding.DecodeString(dumps)
	if err != nil {
		t.Fatal(err)
	}
	prefix := `[{"oauth_token": "", "oauth_token_secret": "", "mfa_token": null, "mfa_expiration_timestamp": null, "domain": "garmin.com"}, {"scope": "CONNECT_READ CONNECT_WRITE", "jti": "`
	if !strings.HasPrefix(string(b), prefix) {
		t.Errorf("it begins %.220s", b)
	}
	if got, want := memberNames(t, b), memberNames(t, decodeVector(t, "garth-plain.txt")); got != want {
		t.Errorf("members\n%s; want\n%s", got, want)
	}
	again := mustParse(t, dumps)
	if again.Dumps() != dumps {
		t.Error("it is not written again as it was read")
	}
	if !again.ExpiresAt().Equal(s.ExpiresAt()) || !again.RefreshExpiresAt().Equal(s.RefreshExpiresAt()) || again.GUID() != s.GUID() {
		t.Error("it reads differently than it was written")
	}
}

func decodeVector(t *testing.T, name string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(vector(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// memberNames gives the names of a session's members in order, with the JSON type of those of the second object.
func memberNames(t *testing.T, b []byte) string {
	t.Helper()
	var names []string
	dec := json.NewDecoder(strings.NewReader(string(b)))
	depth, second := 0, false
	for dec.More() || depth > 0 {
		tok, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		switch tok := tok.(type) {
		case json.Delim:
			if tok == '{' || tok == '[' {
				depth++
			} else {
				depth--
			}
			second = second || tok == '}'
		case string:
			if len(names)%2 == 0 {
				names = append(names, tok)
				continue
			}
			names = append(names, "text")
		case float64:
			names = append(names, "number")
		case nil:
			names = append(names, "text")
		}
	}
	return strings.Join(names, " ")
}

func TestBadSessionStringsAreRefusedWithoutQuoting(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"empty":             "",
		"not base64":        "hunter2!",
		"not JSON":          encode("hunter2"),
		"one object":        encode(`[{"domain":"garmin.com","access_token":"hunter2"}]`),
		"three objects":     encode(`[{"domain":"garmin.com"},{"access_token":"hunter2"},{}]`),
		"not objects":       encode(`["garmin.com","hunter2"]`),
		"null":              encode(`[null,null]`),
		"no region":         encode(`[{},{"access_token":"hunter2"}]`),
		"null region":       encode(`[{"domain":null},{"access_token":"hunter2"}]`),
		"foreign region":    encode(`[{"domain":"example.com"},{"access_token":"hunter2"}]`),
		"region in capital": encode(`[{"domain":"GARMIN.COM"},{"access_token":"hunter2"}]`),
		"no token":          encode(`[{"domain":"garmin.com"},{"refresh_token":"hunter2"}]`),
		"token of a line":   encode(`[{"domain":"garmin.com"},{"access_token":"hunter2\nx"}]`),
		"twice":             encode(`[{"domain":"garmin.com"},{"access_token":"hunter2","access_token":"x"}]`),
		"trailing":          encode(`[{"domain":"garmin.com"},{"access_token":"hunter2"}] x`),
		"deep":              encode(`[{"domain":"garmin.com"},{"access_token":"hunter2","x":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}]`),
		"huge":              encode(`[{"domain":"garmin.com"},{"access_token":"` + strings.Repeat("hunter2", 1e4) + `"}]`),
	} {
		s, err := garmin.ParseSession([]byte(in))
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
}
