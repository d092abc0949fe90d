package garmin_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
)

func mustParseAny(t *testing.T, text string, want garmin.Format) *garmin.Session {
	t.Helper()
	s, format, err := garmin.ParseAny(text)
	if err != nil || format != want {
		t.Fatalf("ParseAny: format %q, %v; want %q", format, err, want)
	}
	return s
}

// jwt makes an access token with these claims.
func jwt(claims string) string {
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
}

func TestEveryVectorIsWrittenAgainAsItWasRead(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"garth-plain.txt", "garth-mfa.txt", "garth-cn.txt"} {
		s := mustParseAny(t, "\n\""+vector(t, file)+"\" \n", garmin.FormatGarth)
		if s.Dumps() != vector(t, file) || s.Renewal() != garmin.RenewOAuth1 {
			t.Errorf("%s: written differently, or renewed by %s", file, s.Renewal())
		}
	}
	for _, file := range []string{"garminconnect-plain.txt", "garminconnect-mfa.txt"} {
		s := mustParseAny(t, vector(t, file), garmin.FormatGarminconnect)
		got := s.DumpGarminconnect()
		if got != vector(t, file) || s.Renewal() != garmin.RenewDI || s.Region() != garmin.RegionGlobal {
			t.Errorf("%s: %s, renewed by %s, in %s", file, got, s.Renewal(), s.Region())
		}
		again := mustParseAny(t, s.Dumps(), garmin.FormatGarth)
		if got := again.DumpGarminconnect(); got != vector(t, file) || !again.ExpiresAt().Equal(s.ExpiresAt()) {
			t.Errorf("%s: by way of garth's form it became %s", file, got)
		}
	}
}

func TestLinesAndFilesOfGarthAreRecognised(t *testing.T) {
	t.Parallel()
	want := vector(t, "garth-mfa.txt")
	var lines strings.Builder
	for rest := want; rest != ""; {
		n := min(len(rest), 76)
		lines.WriteString(rest[:n] + "\r\n")
		rest = rest[n:]
	}
	if got := mustParseAny(t, lines.String(), garmin.FormatGarth).Dumps(); got != want {
		t.Error("broken lines: written differently")
	}
	var pair []json.RawMessage
	if err := json.Unmarshal(decodeVector(t, "garth-mfa.txt"), &pair); err != nil {
		t.Fatal(err)
	}
	first, second := indent(t, pair[0]), indent(t, pair[1])
	for name, text := range map[string]string{
		"one after the other": first + second,
		"the other way round": second + "\n\n" + first,
		"a list":              "[" + second + "," + first + "]",
		"an object":           `{"oauth1_token.json":` + first + `,"oauth2_token.json":` + second + `}`,
		"byte order mark":     "\ufeff" + first + second,
	} {
		if got := mustParseAny(t, text, garmin.FormatGarthFiles).Dumps(); got != want {
			t.Errorf("%s: written differently", name)
		}
	}
}

// indent writes JSON as garth's dump does.
func indent(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	var b strings.Builder
	out, err := json.MarshalIndent(raw, "", "    ")
	if err != nil {
		t.Fatal(err)
	}
	b.Write(out)
	return b.String()
}

func TestWhatIsWrongWithAPastedSessionIsNamed(t *testing.T) {
	t.Parallel()
	token := jwt(`{"iss":"https://diauth.garmin.com"}`)
	for name, tt := range map[string]struct {
		text  string
		fault garmin.Fault
	}{
		"nothing":                   {" \n", garmin.FaultEmpty},
		"quotes":                    {`""`, garmin.FaultEmpty},
		"a novel":                   {strings.Repeat("a", 1<<17), garmin.FaultTooLong},
		"a sentence":                {"my password is hunter2!", garmin.FaultNotBase64},
		"base64 of something":       {encode("hunter2"), garmin.FaultNotSession},
		"base64 cut":                {vector(t, "garth-plain.txt")[:101], garmin.FaultNotBase64},
		"base64 cut at a quad":      {vector(t, "garth-plain.txt")[:100], garmin.FaultNotSession},
		"JSON cut":                  {`{"di_token": "hunter2"`, garmin.FaultNotSession},
		"other JSON":                {`{"password": "hunter2"}`, garmin.FaultNotSession},
		"other list":                {`[1, 2]`, garmin.FaultNotSession},
		"a member twice":            {`{"di_token": "a", "di_token": "b"}`, garmin.FaultNotSession},
		"two of one file":           {`{"oauth_token": "a"}{"oauth_token": "a"}`, garmin.FaultNotSession},
		"three objects":             {`{"oauth_token": "a"}{"access_token": "a"}{"access_token": "a"}`, garmin.FaultNotSession},
		"the first file":            {`{"oauth_token": "a", "oauth_token_secret": "b", "domain": "garmin.com"}`, garmin.FaultHalf},
		"the second file":           {`{"access_token": "` + token + `"}`, garmin.FaultHalf},
		"no token":                  {`{"di_token": null, "di_refresh_token": "r", "di_client_id": "C"}`, garmin.FaultNoToken},
		"an empty token":            {encode(`[{"domain":"garmin.com"},{"access_token":""}]`), garmin.FaultNoToken},
		"a token of lines":          {encode(`[{"domain":"garmin.com"},{"access_token":"a\nb"}]`), garmin.FaultNoToken},
		"a foreign domain":          {encode(`[{"domain":"example.com"},{"access_token":"a"}]`), garmin.FaultRegion},
		"no domain and no issuer":   {encode(`[{"domain":null},{"access_token":"a"}]`), garmin.FaultRegion},
		"a foreign issuer":          {`{"di_token": "` + jwt(`{"iss":"https://diauth.garmin.com.example.com"}`) + `"}`, garmin.FaultRegion},
		"an issuer without TLS":     {`{"di_token": "` + jwt(`{"iss":"http://diauth.garmin.com"}`) + `"}`, garmin.FaultRegion},
		"no issuer":                 {`{"di_token": "opaque"}`, garmin.FaultRegion},
		"a domain of another type":  {encode(`[{"domain":7},{"access_token":"a"}]`), garmin.FaultRegion},
		"something after the list":  {encode(`[{"domain":"garmin.com"},{"access_token":"a"}] x`), garmin.FaultNotSession},
		"something after the files": {`{"oauth_token":"a"} {"access_token":"` + token + `"} x`, garmin.FaultNotSession},
	} {
		s, _, err := garmin.ParseAny(tt.text)
		e, ok := errors.AsType[*garmin.InputError](err)
		if s != nil || !ok || e.Fault != tt.fault || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v; want %s", name, err, tt.fault)
		}
	}
}

func TestRegionFollowsFromTheTokenWhereNoDomainIsNamed(t *testing.T) {
	t.Parallel()
	china := jwt(`{"iss":"https://diauth.garmin.cn","exp":2000000000}`)
	for name, text := range map[string]string{
		"garminconnect": `{"di_token": "` + china + `", "di_refresh_token": "r", "di_client_id": null}`,
		"garth":         encode(`[{"oauth_token": "", "domain": null}, {"access_token": "` + china + `"}]`),
		"old garth":     encode(`[{"oauth_token": ""}, {"access_token": "` + china + `"}]`),
	} {
		s, _, err := garmin.ParseAny(text)
		if err != nil || s.Region() != garmin.RegionChina {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if again := mustParse(t, s.Dumps()); again.Region() != garmin.RegionChina {
			t.Errorf("%s: its garth string is of %s", name, again.Region())
		}
	}
}

func TestLifeIsOverOnlyWhenNothingRenewsIt(t *testing.T) {
	t.Parallel()
	session := func(oauth1, refresh, refreshEnd string) *garmin.Session {
		return mustParse(t, encode(`[{"oauth_token": "`+oauth1+`", "oauth_token_secret": "`+oauth1+`", "domain": "garmin.com"}, `+
			`{"access_token": "a", "expires_at": 1000, "refresh_token": "`+refresh+`", "refresh_token_expires_at": `+refreshEnd+`}]`))
	}
	tests := map[string]struct {
		s       *garmin.Session
		renewal garmin.Renewal
		alive   [3]bool // at 999, 1000 and 2000
	}{
		"DI":                {session("", "r", "2000"), garmin.RenewDI, [3]bool{true, true, false}},
		"DI, no stated end": {session("", "r", "0"), garmin.RenewDI, [3]bool{true, true, true}},
		"OAuth1":            {session("t", "r", "1500"), garmin.RenewOAuth1, [3]bool{true, true, true}},
		"nothing":           {session("", "", "2000"), garmin.RenewNone, [3]bool{true, false, false}},
		"stripped":          {session("t", "r", "2000").Stripped(), garmin.RenewNone, [3]bool{true, false, false}},
	}
	for name, tt := range tests {
		if tt.s.Renewal() != tt.renewal {
			t.Errorf("%s: renewed by %s; want %s", name, tt.s.Renewal(), tt.renewal)
		}
		for i, at := range []int64{999, 1000, 2000} {
			err := tt.s.CheckLife(time.Unix(at, 0))
			e, expired := errors.AsType[*garmin.InputError](err)
			if (err == nil) != tt.alive[i] || expired && e.Fault != garmin.FaultExpired {
				t.Errorf("%s at %d: %v", name, at, err)
			}
		}
	}
}
