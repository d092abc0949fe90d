package garmin

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
	"unicode"
)

// Challenge is a login that Garmin paused to ask for a code. The code belongs to this login alone: the cookies are
// part of it. One goroutine at a time may use it.
type Challenge struct {
	Region Region
	Method string // as Garmin names it: email, sms, ...
	SentTo string // masked by Garmin; empty when it does not say
	Unsent bool   // Garmin did not send the code when it was asked to: ResendCode asks again

	flow Flow
	jar  *jar
	form mfaForm
}

// mfaForm is what the widget's page wants to get back. The other flows have none.
type mfaForm struct {
	CSRF         string `json:"csrf"`
	CustomerGUID string `json:"customer_guid"`
	Locale       string `json:"locale"`
	ClientID     string `json:"client_id"`
}

// storedChallenge is a Challenge at rest.
type storedChallenge struct {
	Version int      `json:"v"`
	Flow    string   `json:"flow"`
	Region  Region   `json:"region"`
	Method  string   `json:"method"`
	SentTo  string   `json:"sent_to"`
	Cookies []cookie `json:"cookies"`
	Unsent  bool     `json:"unsent,omitzero"`
	Form    mfaForm  `json:"form,omitzero"`
}

// The versions of a stored challenge. The first knows no form. Each challenge is written in the oldest version that
// can hold it, so that replicas of the previous release can finish what those of this one began.
const (
	challengePlain  = 1
	challengeOfForm = 2
)

func newChallenge(s *ssoReply, v *visit) *Challenge {
	ch := &Challenge{Region: v.region, flow: v.flow, jar: v.jar}
	ch.Method = cmp.Or(s.MFA.LastMethod, s.MFA.DefaultMethod, "email")
	switch method := strings.ToLower(ch.Method); {
	case method == "email":
		ch.SentTo = oneLine(s.MFA.Email)
	case method == "sms", strings.Contains(method, "phone"):
		ch.SentTo = oneLine(s.MFA.Phone)
	}
	return ch
}

// Marshal gives the whole challenge, cookies in the clear: seal it at once.
func (c *Challenge) Marshal() ([]byte, error) {
	out := storedChallenge{
		Version: challengePlain, Flow: c.flow.name, Region: c.Region, Method: c.Method, SentTo: c.SentTo,
		Cookies: c.jar.cookies, Unsent: c.Unsent, Form: c.form,
	}
	if c.Unsent || c.form != (mfaForm{}) {
		out.Version = challengeOfForm
	}
	return json.Marshal(out)
}

// ParseChallenge is the reverse of Marshal; any process can finish what another began.
func ParseChallenge(b []byte) (*Challenge, error) {
	var in storedChallenge
	// The decoder's own text could quote a cookie.
	if err := json.Unmarshal(b, &in); err != nil {
		return nil, errors.New("garmin: challenge is not readable")
	}
	if in.Version != challengePlain && in.Version != challengeOfForm {
		return nil, fmt.Errorf("garmin: challenge of unknown version %d", in.Version)
	}
	r, err := ParseRegion(string(in.Region))
	if err != nil {
		return nil, err
	}
	f, err := ParseFlow(in.Flow)
	if err != nil {
		return nil, err
	}
	if in.Flow == Widget.name && in.Form.CSRF == "" {
		return nil, errors.New("garmin: challenge of the widget lacks its form")
	}
	return &Challenge{
		Region: r, Method: in.Method, SentTo: in.SentTo, Unsent: in.Unsent,
		flow: f, jar: &jar{region: r, now: time.Now, cookies: in.Cookies}, form: in.Form,
	}, nil
}

// Format prints no cookie, whatever the verb.
func (Challenge) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue logs no cookie.
func (Challenge) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON keeps a challenge out of JSON that was not meant to hold one; Marshal is the way.
func (Challenge) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// oneLine makes Garmin's text fit for a page: printable, at most 100 characters.
func oneLine(s string) string {
	clean := []rune(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, s))
	return string(clean[:min(len(clean), 100)])
}
