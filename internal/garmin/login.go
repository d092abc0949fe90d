package garmin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
)

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
// password is sent at most once, but for flows that Options.Flows adds after one that surely did not judge it.
//
// Errors: KindCredentials, KindLocked, KindChild, KindAttention, KindCaptcha, KindBlocked, KindRateLimited,
// KindClientLimited, KindFlowRefused, KindUnavailable, KindProtocol.
func (c *Client) Login(ctx context.Context, r Region, email string, password Secret) (*Ticket, *Challenge, error) {
	var (
		t   *Ticket
		ch  *Challenge
		err error
	)
	for _, f := range c.flows {
		t, ch, err = c.login(ctx, f, r, email, password)
		if err == nil || !passwordUnjudged(err) {
			break
		}
	}
	return t, ch, err
}

// passwordUnjudged is true when a second login can neither void a code that was just sent nor count as another wrong
// try. An address that is limited is kept from all flows.
func passwordUnjudged(err error) bool {
	switch KindOf(err) {
	case KindBlocked, KindCaptcha, KindClientLimited, KindFlowRefused:
		return true
	}
	return false
}

func (c *Client) login(ctx context.Context, f Flow, r Region, email string, password Secret) (*Ticket, *Challenge, error) {
	j := &jar{region: r, now: c.now}
	if err := c.openPage(ctx, f, r, j); err != nil {
		return nil, nil, err
	}
	body, err := json.Marshal(map[string]any{
		"username": email, "password": password.Reveal(), "rememberMe": true, "captchaToken": "",
	})
	if err != nil {
		return nil, nil, err
	}
	rep, err := c.postSSO(ctx, "login", f, r, pathLogin, body, j)
	if err != nil {
		return nil, nil, err
	}
	s, e := rep.parseSSO()
	switch {
	case e != nil:
		return nil, nil, e
	case s.Status.Type == typeSuccessful:
		t, err := rep.ticket(s, f, r)
		return t, nil, err
	case s.Status.Type == typeMFARequired:
		return nil, newChallenge(s, f, r, j), nil
	}
	return nil, nil, rep.loginRefused(s)
}

// openPage gets the cookies of a sign-in page, where a flow has one. The password has not been sent yet.
func (c *Client) openPage(ctx context.Context, f Flow, r Region, j *jar) error {
	if f.page == "" {
		return nil
	}
	rep, err := c.do(ctx, call{
		op: "page", region: r, method: http.MethodGet, url: f.pageURL(r), jar: j, follow: true,
		header: map[string]string{
			"User-Agent":      f.userAgent,
			"Accept":          "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
			"Accept-Language": "en-US,en;q=0.9",
			"Sec-Fetch-Mode":  "navigate",
			"Sec-Fetch-Dest":  "document",
			"Sec-Fetch-Site":  "none",
		},
	})
	if err != nil || rep.status == http.StatusOK {
		return err
	}
	if e := rep.refusal(); e != nil {
		return e
	}
	return rep.unknown()
}

// postSSO sends one JSON call of a flow. It is never followed to another address: the body holds a secret.
func (c *Client) postSSO(ctx context.Context, op string, f Flow, r Region, path string, body []byte, j *jar) (*reply, error) {
	return c.do(ctx, call{
		op: op, region: r, method: http.MethodPost, url: f.apiURL(r, path), body: body, jar: j,
		header: map[string]string{
			"User-Agent":      f.userAgent,
			"Accept":          "application/json, text/plain, */*",
			"Accept-Language": "en-US,en;q=0.9",
			"Content-Type":    "application/json",
			"Origin":          origin(r, "sso"),
		},
	})
}

// ticket takes the ticket out of a success.
func (r *reply) ticket(s *ssoReply, f Flow, region Region) (*Ticket, error) {
	if !ticketShape.MatchString(s.Ticket) {
		e := r.fail(KindProtocol)
		e.Type, e.sent = cleanType(s.Status.Type), true
		return nil, e
	}
	return &Ticket{Value: Secret(s.Ticket), ServiceURL: f.serviceURL(region), Region: region}, nil
}
