package garmin

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"time"
)

// loginTime is how long a Login may take in all, whatever its flows.
const loginTime = 60 * time.Second

// Ticket is what a login ends in: good for one exchange, for a minute or two, and for its own service URL only.
type Ticket struct {
	Value      Secret
	ServiceURL string
	Region     Region
}

// Format prints no ticket, whatever the verb: below a pointer fmt can pass over the Secret's own method.
func (Ticket) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// ticketShape leaves the suffix alone: -sso and -cas are seen, others may come.
var ticketShape = regexp.MustCompile(`^ST-[A-Za-z0-9._-]{1,500}$`)

// Login signs in with an e-mail address and a password. It returns exactly one of a ticket and a challenge. The
// password is sent at most once by each flow of Options.Flows, in order, and by a later one only when Garmin surely
// did not judge it before: a second login would count as another wrong try, or void the code that was just sent. So
//
//   - after a block at the edge, a captcha or error 427 the next flow follows;
//   - after a limit of the client id one more flow follows, which has another id;
//   - after a page that failed before the password was sent the next flow follows;
//   - after a limit of this address, a wrong password, an answer that is not known, or none, nothing follows.
//
// Login takes at most a minute in all; a flow whose pause does not fit in what is left of it is passed over. Of several
// failures it returns the last that answered a password, or the limit that ended them.
//
// Errors: KindCredentials, KindLocked, KindChild, KindAttention, KindCaptcha, KindBlocked, KindRateLimited,
// KindClientLimited, KindFlowRefused, KindUnavailable, KindProtocol.
func (c *Client) Login(ctx context.Context, r Region, email string, password Secret) (*Ticket, *Challenge, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.loginTime, errNoAnswer)
	defer cancel()
	var told *Error
	limited := false
	for _, f := range c.flows {
		if told != nil && !f.fits(ctx) {
			continue
		}
		t, ch, err := c.try(ctx, f, r, email, password)
		if err == nil {
			return t, ch, nil
		}
		e := errorOf(err)
		if e == nil {
			return nil, nil, err
		}
		if told == nil || told.Op == opPage || e.Op != opPage || e.Kind == KindRateLimited {
			told = e
		}
		if limited || ctx.Err() != nil || !passwordUnjudged(e) {
			break
		}
		limited = e.Kind == KindClientLimited
	}
	return nil, nil, told
}

// passwordUnjudged is true when a second login can neither void a code that was just sent nor count as another wrong
// try. An address that is limited is kept from all flows.
func passwordUnjudged(e *Error) bool {
	switch e.Kind {
	case KindBlocked, KindCaptcha, KindClientLimited, KindFlowRefused:
		return !e.sent
	case KindUnavailable, KindProtocol:
		return e.Op == opPage
	}
	return false
}

// SubmitCode answers a challenge. Cookies that Garmin sets meanwhile are kept in ch, after a wrong code too, so that
// the next try goes on from there. A code is sent to the flow that asked for it and to no other: elsewhere a wrong one
// would count twice.
//
// Errors: KindCode (the challenge still stands), KindChallengeGone, KindLocked and the rest of Login's.
func (c *Client) SubmitCode(ctx context.Context, ch *Challenge, code Secret) (*Ticket, error) {
	ch.jar.now = c.now
	return ch.flow.steps.code(ctx, c, ch, code)
}

// ResendCode asks Garmin to send another code for the same challenge.
//
// Errors: KindNoResend for every refusal but KindChallengeGone and KindLocked; KindRateLimited, KindClientLimited,
// KindBlocked, KindCaptcha and KindUnavailable as elsewhere. The challenge still stands after all but
// KindChallengeGone.
func (c *Client) ResendCode(ctx context.Context, ch *Challenge) error {
	ch.jar.now = c.now
	err := ch.flow.steps.resend(ctx, c, ch)
	if err == nil {
		ch.Unsent = false
	}
	return err
}
