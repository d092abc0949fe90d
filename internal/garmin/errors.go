package garmin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"
)

// Kind says what an error means for the one who asked.
type Kind string

// The kinds, by the side that can do something about it. Where the text says inconclusive, nothing is known about the
// password, the code or the session, and nothing may be concluded from it. No kind is ever worth asking again at once.
const (
	// The user's side: asking again with the same is of no use, and a wrong try counts at Garmin.
	KindCredentials Kind = "credentials" // wrong e-mail or password; Garmin does not say which
	KindCode        Kind = "code"        // wrong or expired MFA code; the challenge still stands
	KindLocked      Kind = "locked"      // Garmin locked the account; a new password unlocks it
	KindChild       Kind = "child"       // an account managed by a parent may not use this application
	KindAttention   Kind = "attention"   // the user must settle something at Garmin: disabled, new password, consent

	// The user's side, to begin anew: what was under way is over, and nobody is to blame.
	KindChallengeGone Kind = "challenge_gone" // Garmin has forgotten the login that waits for a code
	KindTicketRefused Kind = "ticket_refused" // nothing could exchange the ticket, which may now be spent
	KindGrantDead     Kind = "grant_dead"     // what renews the session is refused, or was never there; see Refresh
	KindTokenRejected Kind = "token_rejected" // the API answers 401 to the access token: refresh, then believe it or not
	KindNoResend      Kind = "no_resend"      // no new code can be had this way; the challenge still stands

	// Between this server and Garmin: the same login works later, from elsewhere, or by the hand-off. Inconclusive.
	KindCaptcha       Kind = "captcha"        // Garmin wants a captcha: the hand-off
	KindBlocked       Kind = "blocked"        // the edge in front of Garmin refuses this server: the hand-off
	KindFlowRefused   Kind = "flow_refused"   // this account does not sign in by this flow (error 427): another one
	KindRateLimited   Kind = "rate_limited"   // this address asked too often: later, after RetryAfter
	KindClientLimited Kind = "client_limited" // this client id or account asked too often: later, after RetryAfter

	// Garmin's side, or ours. Inconclusive.
	KindUnavailable Kind = "unavailable" // no answer, half an answer, or a broken one: later; see Sent
	KindProtocol    Kind = "protocol"    // an answer that this package does not know: a change of this program
)

func (k Kind) String() string { return string(k) }

// Error is what every call of a Client returns when it fails. None of its fields and no text of it holds a URL's
// query, a body, a token, a password or an e-mail address.
type Error struct {
	Kind       Kind
	Op         string        // page, login, verify, resend, exchange, preauthorize, oauth1, refresh, profile or consumer
	Host       string        // that answered: sso, diauth, connectapi; "" without an answer
	Status     int           // HTTP status, 0 without an answer
	Type       string        // Garmin's own word for it: at most 64 letters, digits and underscores
	RetryAfter time.Duration // at most a day; 0 when Garmin named none
	Err        error         // the cause on our side of the wire, safe to print; nil when Garmin answered

	sent bool
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "garmin: %s: %s", e.Op, e.Kind)
	if e.Status != 0 {
		fmt.Fprintf(&b, ", status %d", e.Status)
	}
	if e.Type != "" {
		fmt.Fprintf(&b, ", type %s", e.Type)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Sent reports that the request may have taken effect at Garmin although no whole answer came back that says so:
// a ticket may be spent, a refresh token rotated, a code mailed. It is false when Garmin judged, when the edge
// refused, and when the request surely never left.
func (e *Error) Sent() bool { return e.sent }

// KindOf returns the kind of the first Error in err's chain, and "" when there is none.
func KindOf(err error) Kind {
	if e := errorOf(err); e != nil {
		return e.Kind
	}
	return ""
}

// errorOf returns the first Error in err's chain, nil when there is none.
func errorOf(err error) *Error {
	e, _ := errors.AsType[*Error](err)
	return e
}

var (
	errHost     = errors.New("not one of Garmin's hosts")
	errNoAnswer = errors.New("no answer in time")
	errTooLong  = errors.New("answer too long")
)

// unanswered is the error of a request that brought no whole answer. The caller's own cancellation or deadline stays
// visible to errors.Is; ours reads errNoAnswer, so that the two cannot be confused.
func unanswered(ctx context.Context, op string, err error, sent bool) *Error {
	e := &Error{Kind: KindUnavailable, Op: op, sent: sent}
	switch {
	case errors.Is(err, errHost):
		e.Kind, e.Err, e.sent = KindProtocol, errHost, false
	case ctx.Err() != nil && context.Cause(ctx) != errNoAnswer:
		e.Err = ctx.Err()
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded):
		e.Err = errNoAnswer
	default:
		e.Err = printable(err)
	}
	return e
}

// printable keeps the text of errors that are known to speak of addresses and certificates only. Others may quote
// the URL (with the ticket) or what the server sent: of those only the type is told.
func printable(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if errors.Is(err, errTooLong) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return errors.New(e.Error())
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return errors.New(e.Error())
	}
	return fmt.Errorf("transport failed (%T)", err)
}

// cleanType makes Garmin's own word fit for logs and pages.
func cleanType(s string) string {
	clean := strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, s)
	return clean[:min(len(clean), 64)]
}
