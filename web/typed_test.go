package web_test

import (
	"net/http"
	"strings"
	"testing"
)

// Whoever was signed out in the middle comes back to where he was, and to what
// he had typed, but for the password.
func TestWhatWasTypedOutlivesTheSignIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.runner()
	as := s.userID(email).String()
	type attempt struct {
		as   string
		kept bool
	}
	for name, c := range map[string]attempt{"his own": {as, true}, "another's": {"another", false}, "nobody's": {"", false}} {
		s.exec("UPDATE sign_ins SET ended_at = app_now()")
		p := b.post("/link", "as", c.as, "email", "typed@garmin.example", "password", "secret-1", "region", "garmin.cn").
			wantRedirect("/signin?next=%2Flink")
		for _, cookie := range p.Cookies() {
			if strings.Contains(cookie.Value, "secret") {
				t.Error("the browser keeps the password")
			}
		}
		b.post("/signin", "email", email, "password", password, "next", "/link").wantRedirect("/link")
		p = b.get("/link").want(http.StatusOK)
		if got := strings.Contains(p.source, "typed@garmin.example"); got != c.kept {
			t.Errorf("%s: what was typed is there: %t", name, got)
		}
		if strings.Contains(b.get("/link").source, "typed@garmin.example") {
			t.Errorf("%s: it is there for ever", name)
		}
	}

}
