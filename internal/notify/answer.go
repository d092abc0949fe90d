package notify

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
	"time"
)

// Answer is what came of one attempt.
type Answer struct {
	Status     int           // 0: none came
	Error      string        // our own words, for the log: a stranger's may be anything; "": it was taken
	Took       time.Duration // until the answer
	RetryAfter time.Duration // that it asks for; zero if it does not

	ours bool // we failed, or cut it short: it says nothing of the endpoint
}

// Outcome names what came of an attempt, for metrics.
func (a Answer) Outcome() string {
	switch {
	case a.ours:
		return "fault"
	case a.Error == "":
		return "delivered"
	case a.Status == 0:
		return "no_answer"
	default:
		return "refused"
	}
}

// of reads an answer. Any status of success means that the message was taken,
// whatever else the answer says.
func (a Answer) of(r *http.Response, now time.Time) Answer {
	a.Status = r.StatusCode
	switch {
	case r.StatusCode >= 200 && r.StatusCode < 300:
		return a
	case r.StatusCode >= 300 && r.StatusCode < 400:
		a.Error = fmt.Sprintf("answered %d: redirects are not followed", r.StatusCode)
	default:
		a.Error = fmt.Sprintf("answered %d", r.StatusCode)
	}
	if r.StatusCode == http.StatusTooManyRequests || r.StatusCode == http.StatusServiceUnavailable {
		a.RetryAfter = min(retryAfter(r.Header.Get("Retry-After"), now), longestPause)
	}
	return a
}

// retryAfter reads seconds or a date; zero if it says neither, or the past.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return max(0, at.Sub(now))
}

const noAddress = "the address cannot be used"

// whyNone says why no answer came. Only words of ours: the errors of a
// connection quote what the other end has sent.
func whyNone(err error) string {
	switch {
	case errors.Is(err, ErrAddressRefused):
		return "not sent: the address is not allowed"
	case errors.Is(err, os.ErrDeadlineExceeded) || isTimeout(err):
		return fmt.Sprintf("no answer within %s", attemptTime)
	case is[*net.DNSError](err):
		return "the name was not found"
	case is[x509.UnknownAuthorityError](err):
		return "its certificate is of nobody who is trusted"
	case is[x509.HostnameError](err):
		return "its certificate is for another name"
	case is[x509.CertificateInvalidError](err):
		return "its certificate is not valid"
	case is[tls.RecordHeaderError](err), is[tls.AlertError](err), is[*tls.CertificateVerificationError](err):
		return "TLS failed"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the connection was closed before an answer"
	default:
		return "no answer that could be read"
	}
}

func isTimeout(err error) bool {
	timed, ok := errors.AsType[net.Error](err)
	return ok && timed.Timeout()
}

func is[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}
