package garmin

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter bounds how long one answer can keep us away.
const maxRetryAfter = 24 * time.Hour

// challengeMarks are words of Cloudflare's challenge and block pages.
var challengeMarks = [][]byte{[]byte("Just a moment"), []byte("Attention Required"), []byte("error code: 1020")}

// refusal is the Error of an answer that comes from what stands before Garmin's applications: the edge, a gateway,
// the rate limiter. It is nil when an application answered, in JSON; what that means is the caller's matter.
func (r *reply) refusal() *Error {
	if !r.isJSON() {
		return r.pageRefusal()
	}
	return r.gatewayRefusal()
}

func (r *reply) isJSON() bool {
	return bytes.HasPrefix(bytes.TrimLeft(r.body, " \t\r\n"), []byte("{")) && json.Valid(r.body)
}

// pageRefusal judges what is not JSON. A broken answer says nothing of what the application did before it broke, so
// only the edge's own refusals count as not sent.
func (r *reply) pageRefusal() *Error {
	if e := r.edge(); e != nil {
		return e
	}
	e := r.fail(KindUnavailable)
	e.sent = true
	return e
}

// edge is the Error of a page that the edge made, nil for any other.
func (r *reply) edge() *Error {
	switch {
	case r.status == http.StatusTooManyRequests, bytes.Contains(r.body, []byte("error code: 1015")):
		return r.fail(KindRateLimited)
	case r.status == http.StatusForbidden, r.status >= 400 && r.challenged():
		return r.fail(KindBlocked)
	}
	return nil
}

func (r *reply) challenged() bool {
	if r.header.Get("Cf-Mitigated") == "challenge" {
		return true
	}
	for _, mark := range challengeMarks {
		if bytes.Contains(r.body, mark) {
			return true
		}
	}
	return false
}

// gatewayRefusal reads {"error":{"status-code":"429",...}}, which comes with 429 and with 200, its code a string.
func (r *reply) gatewayRefusal() *Error {
	var in struct {
		Error struct {
			Code json.RawMessage `json:"status-code"`
		} `json:"error"`
	}
	if json.Unmarshal(r.body, &in) != nil || len(in.Error.Code) == 0 {
		return nil
	}
	e := r.fail(KindProtocol)
	e.Type = cleanType(string(in.Error.Code))
	switch {
	case e.Type == "429":
		e.Kind = KindClientLimited
	case e.Type == "427":
		e.Kind = KindFlowRefused
	case len(e.Type) == 3 && strings.HasPrefix(e.Type, "5"):
		e.Kind, e.sent = KindUnavailable, true
	}
	return e
}

// fail is the Error of an answer that was read whole. One that a redirect led to says nothing of the request that was
// redirected: that took effect.
func (r *reply) fail(k Kind) *Error {
	return &Error{Kind: k, Op: r.op, Host: r.host, Status: r.status, RetryAfter: r.retryAfter, sent: r.followed}
}

// unknown is the Error of an application's answer that has no meaning of its own here.
func (r *reply) unknown() *Error {
	switch {
	case r.status == http.StatusTooManyRequests:
		return r.fail(KindClientLimited)
	case r.status >= 500:
		e := r.fail(KindUnavailable)
		e.sent = true
		return e
	}
	e := r.fail(KindProtocol)
	e.sent = e.sent || r.status < 300
	return e
}

// opened judges the answer to a GET of a page: nil when a page came.
func (r *reply) opened() error {
	if r.status == http.StatusOK && r.edge() == nil && !r.isJSON() {
		return nil
	}
	if e := r.refusal(); e != nil {
		return e
	}
	return r.unknown()
}

// parseRetryAfter reads seconds or an HTTP date, as RFC 9110 has them. What it cannot read counts as absent.
func parseRetryAfter(s string, now time.Time) time.Duration {
	if secs, err := strconv.ParseUint(s, 10, 31); err == nil {
		return min(time.Duration(secs)*time.Second, maxRetryAfter)
	}
	at, err := http.ParseTime(s)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}
