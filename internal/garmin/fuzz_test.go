package garmin

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"
)

func FuzzLoginReply(f *testing.F) {
	f.Add(200, []byte(`{"serviceTicketId":"ST-1-a-sso","responseStatus":{"type":"SUCCESSFUL"}}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		r := &reply{op: "login", status: status, header: http.Header{}, body: body}
		s, e := r.parseSSO()
		if (s == nil) == (e == nil) {
			t.Fatalf("parseSSO gives %v and %v", s, e)
		}
		if e != nil {
			checkFuzzed(t, e)
			return
		}
		checkFuzzed(t, r.loginRefused(s))
		checkFuzzed(t, r.codeRefused(s))
		ch := newChallenge(s, &visit{flow: IOS, region: RegionGlobal, jar: &jar{region: RegionGlobal, now: time.Now}})
		if ch.Method == "" || strings.ContainsAny(ch.SentTo, "\n\r\x00") {
			t.Errorf("challenge by %q to %q", ch.Method, ch.SentTo)
		}
		if ticket, err := r.ticket(s, "https://service.example", RegionGlobal); err == nil && !strings.HasPrefix(ticket.Value.Reveal(), "ST-") {
			t.Errorf("ticket %q", ticket.Value.Reveal())
		}
	})
}

func checkFuzzed(t *testing.T, e *Error) {
	t.Helper()
	if e.Kind == "" || e.Type != cleanType(e.Type) || e.Kind == KindCredentials && e.sent {
		t.Errorf("%#v", e)
	}
}

func FuzzTokenReply(f *testing.F) {
	f.Add(200, []byte(`{"access_token":"a.e30.c","refresh_token":"r","expires_in":1,"scope":"S","jti":"j","token_type":"bearer"}`))
	now := time.Unix(1_800_000_000, 0)
	c := New(Options{Now: func() time.Time { return now }})
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		r := &reply{op: "refresh", status: status, header: http.Header{}, body: body}
		members, e := r.parseToken()
		if e != nil {
			checkFuzzed(t, e)
			return
		}
		first, err := c.firstSession(opExchange, oauth1Object(RegionChina, nil), members)
		if err != nil {
			return
		}
		next, err := c.nextSession(opRefresh, first, members)
		if err != nil {
			t.Fatalf("a session once, but not twice: %v", err)
		}
		for _, s := range []*Session{first, next} {
			checkRoundTrip(t, s)
			if s.refreshToken() != "" && !s.RefreshExpiresAt().After(now) {
				t.Errorf("refresh token ends at %v", s.RefreshExpiresAt())
			}
		}
	})
}

// checkRoundTrip fails unless a session reads as it was written.
func checkRoundTrip(t *testing.T, s *Session) {
	t.Helper()
	dumps := s.Dumps()
	if len(dumps) > maxSessionString {
		return
	}
	again, err := ParseSession([]byte(dumps))
	if err != nil {
		t.Fatal(err)
	}
	if second := again.Dumps(); second != dumps || again.claims() != s.claims() || again.Region() != s.Region() {
		t.Errorf("read back as %s", second)
	}
}

func FuzzSessionString(f *testing.F) {
	f.Add([]byte(`[{"oauth_token": "", "domain": "garmin.cn"}, {"access_token": "a.b.c", "x": {"y": [1.0]}}]`))
	f.Fuzz(func(t *testing.T, plain []byte) {
		s, err := ParseSession([]byte(base64.StdEncoding.EncodeToString(plain)))
		if err != nil {
			return
		}
		_, _, _ = s.ExpiresAt(), s.RefreshExpiresAt(), s.GUID()
		checkRoundTrip(t, s)
	})
}

func FuzzClaims(f *testing.F) {
	for _, exp := range []string{`1800000000`, `"1800000000"`, `1.8e9`, `-1`, `1e400`, `99999999999999999999`, `null`, `true`, `{}`, `"NaN"`} {
		f.Add([]byte(`{"exp":` + exp + `,"garmin_guid":"g","client_id":"C"}`))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		c := parseClaims("h." + base64.RawURLEncoding.EncodeToString(payload) + ".s")
		if !c.expires.IsZero() && (c.expires.Unix() < 1 || c.expires.Year() > 9999) {
			t.Errorf("expires %v", c.expires)
		}
		if c.guid != cleanID(c.guid) || c.clientID != cleanID(c.clientID) {
			t.Errorf("ids %q, %q", c.guid, c.clientID)
		}
		_ = parseClaims(string(payload))
	})
}

func FuzzChallenge(f *testing.F) {
	f.Add([]byte(`{"v":1,"flow":"ios","region":"garmin.com","method":"email","sent_to":"a*****@b","cookies":[{"name":"SESSION","value":"x","domain":"sso.garmin.com","host_only":true,"path":"/"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		ch, err := ParseChallenge(b)
		if err != nil {
			return
		}
		first, err := ch.Marshal()
		if err != nil {
			t.Skip("a time that JSON cannot write")
		}
		again, err := ParseChallenge(first)
		if err != nil {
			t.Fatal(err)
		}
		if second, err := again.Marshal(); err != nil || string(second) != string(first) {
			t.Errorf("%s became %s (%v)", first, second, err)
		}
	})
}
