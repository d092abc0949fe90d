package garmin

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
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

	flow Flow
	jar  *jar
}

// storedChallenge is a Challenge at rest.
type storedChallenge struct {
	Version int      `json:"v"`
	Flow    string   `json:"flow"`
	Region  Region   `json:"region"`
	Method  string   `json:"method"`
	SentTo  string   `json:"sent_to"`
	Cookies []cookie `json:"cookies"`
}

const challengeVersion = 1

func newChallenge(s *ssoReply, f Flow, r Region, j *jar) *Challenge {
	ch := &Challenge{Region: r, flow: f, jar: j}
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
	return json.Marshal(storedChallenge{challengeVersion, c.flow.name, c.Region, c.Method, c.SentTo, c.jar.cookies})
}

// ParseChallenge is the reverse of Marshal; any process can finish what another began.
func ParseChallenge(b []byte) (*Challenge, error) {
	var in storedChallenge
	// The decoder's own text could quote a cookie.
	if err := json.Unmarshal(b, &in); err != nil {
		return nil, errors.New("garmin: challenge is not readable")
	}
	r, err := ParseRegion(string(in.Region))
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(knownFlows, func(f Flow) bool { return f.name == in.Flow })
	if in.Version != challengeVersion || i < 0 {
		return nil, fmt.Errorf("garmin: challenge of unknown version %d or flow %.32q", in.Version, in.Flow)
	}
	return &Challenge{
		Region: r, Method: in.Method, SentTo: in.SentTo,
		flow: knownFlows[i], jar: &jar{region: r, now: time.Now, cookies: in.Cookies},
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
