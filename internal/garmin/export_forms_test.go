package garmin_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/garminlink/garminlink/internal/garmin"
)

func TestStrippedSessionRenewsNothing(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"garth-mfa.txt", "garminconnect-mfa.txt"} {
		s, _, err := garmin.ParseAny(vector(t, file))
		if err != nil {
			t.Fatal(err)
		}
		stripped := s.Stripped()
		b, err := base64.StdEncoding.DecodeString(stripped.Dumps())
		if err != nil {
			t.Fatal(err)
		}
		for _, member := range []string{`"oauth_token": ""`, `"oauth_token_secret": ""`, `"mfa_token": null`, `"refresh_token": ""`} {
			if !strings.Contains(string(b), member) {
				t.Errorf("%s: no %s", file, member)
			}
		}
		if memberNames(t, b) != memberNames(t, decodeVector(t, "garth-plain.txt")) {
			t.Errorf("%s: other members than garth's", file)
		}
		if !strings.Contains(stripped.DumpGarminconnect(), `"di_refresh_token": null`) {
			t.Errorf("%s: garminconnect has a refresh token", file)
		}
		if !stripped.ExpiresAt().Equal(s.ExpiresAt()) || stripped.GUID() != s.GUID() || s.Renewal() == garmin.RenewNone {
			t.Errorf("%s: more changed than that", file)
		}
	}
}

func TestStrippedSessionKeepsNothingUnknown(t *testing.T) {
	t.Parallel()
	s := mustParse(t, encode(`[{"domain": "garmin.com", "more": "hunter2"}, {"access_token": "a", "it_refresh_token": "hunter2"}]`))
	b, err := base64.StdEncoding.DecodeString(s.Stripped().Dumps())
	if err != nil || strings.Contains(string(b), "hunter2") {
		t.Errorf("%s (%v)", b, err)
	}
}

func TestLegacySessionAsGarminconnectIsItsAccessTokenAlone(t *testing.T) {
	t.Parallel()
	s := mustParse(t, vector(t, "garth-plain.txt"))
	got := s.DumpGarminconnect()
	tail := `, "di_refresh_token": null, "di_client_id": "GARMIN_CONNECT_MOBILE_ANDROID_DI"}`
	if !strings.HasPrefix(got, `{"di_token": "eyJ`) || !strings.HasSuffix(got, tail) {
		t.Error(got)
	}
	if again := mustParseAny(t, got, garmin.FormatGarminconnect); again.Renewal() != garmin.RenewNone {
		t.Errorf("renewed by %s", again.Renewal())
	}
}

func TestUnknownMembersOfGarminconnectStay(t *testing.T) {
	t.Parallel()
	token := jwt(`{"iss":"https://diauth.garmin.com"}`)
	text := `{"di_token": "` + token + `", "di_refresh_token": "r", "di_client_id": "ANOTHER", "new": {"b": [1.50]}}`
	s := mustParseAny(t, text, garmin.FormatGarminconnect)
	s = mustParse(t, s.Dumps())
	if got := s.DumpGarminconnect(); got != text {
		t.Error(got)
	}
}

func TestClientIDThatTheTokenDoesNotNameIsAsked(t *testing.T) {
	t.Parallel()
	sim, c := newGarmin(t)
	text := mustSession(t, c).DumpGarminconnect()
	_, tail, _ := strings.Cut(text, `"di_refresh_token"`)
	opaque := `{"di_token": "` + jwt(`{"iss":"https://diauth.garmin.com"}`) + `", "di_refresh_token"` + tail
	fresh, err := newClient(sim).Refresh(t.Context(), mustParseAny(t, opaque, garmin.FormatGarminconnect))
	if err != nil {
		t.Fatal(err)
	}
	b, _ := base64.StdEncoding.DecodeString(fresh.Dumps())
	if memberNames(t, b) != memberNames(t, decodeVector(t, "garth-plain.txt")) {
		t.Errorf("%s has other members than garth's", b)
	}
}
