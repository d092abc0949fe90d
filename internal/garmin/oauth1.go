package garmin

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// exchangeLegacy turns a ticket into an OAuth1 token, and that into a session.
func (c *Client) exchangeLegacy(ctx context.Context, t *Ticket) (*Session, error) {
	consumer, err := c.consumerFor(ctx, opPreauthorize)
	if err != nil {
		return nil, err
	}
	// As recorded: not escaped. A ticket's shape holds nothing that would need it.
	address := origin(t.Region, "connectapi") + pathPreauthorized + "?ticket=" + t.Value.Reveal() +
		"&login-url=" + t.ServiceURL + "&accepts-mfa-tokens=true"
	if !ticketShape.MatchString(t.Value.Reveal()) {
		return nil, &Error{Kind: KindTicketRefused, Op: opPreauthorize, Err: errors.New("not a ticket")}
	}
	rep, err := c.do(ctx, call{
		op: opPreauthorize, region: t.Region, method: http.MethodGet, url: address,
		header: map[string]string{"User-Agent": oauth1UserAgent},
		sign:   c.signer(consumer, oauth1Token{}, nil),
	})
	if err != nil {
		return nil, err
	}
	form, e := rep.parsePreauthorized()
	if e != nil {
		return nil, e
	}
	oauth1 := oauth1Object(t.Region, form)
	f, e := c.postOAuth1(ctx, opOAuth1, t.Region, oauth1, consumer, url.Values{"audience": {oauth1Audience}})
	switch {
	case e == nil:
		return c.firstSession(opOAuth1, oauth1, f)
	case e.Kind == KindGrantDead:
		e.Kind = KindTicketRefused
	}
	return nil, e
}

func (c *Client) refreshOAuth1(ctx context.Context, s *Session) (*Session, error) {
	consumer, err := c.consumerFor(ctx, opRefresh)
	if err != nil {
		return nil, err
	}
	f, e := c.postOAuth1(ctx, opRefresh, s.region, s.oauth1, consumer, url.Values{})
	if e != nil {
		return nil, e
	}
	return c.nextSession(opRefresh, s, f)
}

// postOAuth1 gets an access token for an OAuth1 token; form is what the request says beside the token for MFA.
func (c *Client) postOAuth1(ctx context.Context, op string, r Region, oauth1 object, consumer Consumer, form url.Values) (fields, *Error) {
	if mfa := oauth1.text(keyMFA); mfa != "" {
		form.Set(keyMFA, mfa)
	}
	token := oauth1Token{oauth1.text(keyToken), Secret(oauth1.text(keySecret))}
	rep, err := c.do(ctx, call{
		op: op, region: r, method: http.MethodPost, url: origin(r, "connectapi") + pathOAuth1,
		header: map[string]string{
			"User-Agent": oauth1UserAgent, "Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded",
		},
		body: []byte(form.Encode()), sign: c.signer(consumer, token, form),
	})
	if err != nil {
		return nil, errorOf(err)
	}
	if e := rep.oauth1Refused(KindGrantDead); e != nil {
		return nil, e
	}
	return rep.parseToken()
}

// parsePreauthorized reads the text of an OAuth1 token: a form, not JSON [R].
func (r *reply) parsePreauthorized() (url.Values, *Error) {
	if e := r.oauth1Refused(KindTicketRefused); e != nil {
		return nil, e
	}
	form, err := url.ParseQuery(strings.TrimSpace(string(r.body)))
	if r.status == http.StatusOK && err == nil && form.Get(keyToken) != "" && form.Get(keySecret) != "" {
		return form, nil
	}
	if e := r.refusal(); e != nil {
		return nil, e
	}
	return nil, r.unknown()
}

// oauthProblem is how OAuth1 servers say why they refuse (its Problem Reporting extension).
var oauthProblem = regexp.MustCompile(`oauth_problem="?([a-z_]{1,64})`)

// oauth1Refused is the Error of kind k when Garmin's application refuses the signed request: 401, or 403 in anything
// but a page. Where the reason given is our key, our clock or our signature, that says nothing of the token.
func (r *reply) oauth1Refused(k Kind) *Error {
	body := strings.TrimSpace(string(r.body))
	forbidden := r.status == http.StatusForbidden && (body == "" || r.isJSON() || oauthProblem.MatchString(body))
	if r.status != http.StatusUnauthorized && !forbidden || r.challenged() {
		return nil
	}
	e := r.fail(k)
	if m := oauthProblem.FindStringSubmatch(r.header.Get("WWW-Authenticate") + " " + body); m != nil {
		e.Type = cleanType(m[1])
	}
	for _, ours := range []string{"consumer", "timestamp", "nonce", "signature", "version", "parameter"} {
		if strings.HasPrefix(e.Type, ours) {
			e.Kind = KindProtocol
		}
	}
	return e
}

// oauth1Object writes an OAuth1 token the way garth does; an empty form gives the one of a DI session.
func oauth1Object(r Region, form url.Values) object {
	orNull := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	return object(nil).
		with(keyToken, form.Get(keyToken)).
		with(keySecret, form.Get(keySecret)).
		with(keyMFA, orNull(form.Get(keyMFA))).
		with(keyMFAEnd, orNull(isoTime(form.Get(keyMFAEnd)))).
		with(keyDomain, string(r))
}

// isoTime turns Garmin's "2027-03-18 05:33:02.000" into what Python writes for it, "" for anything else.
func isoTime(s string) string {
	t, err := time.Parse("2006-01-02 15:04:05.999999", s)
	switch {
	case err != nil:
		return ""
	case t.Nanosecond() == 0:
		return t.Format("2006-01-02T15:04:05")
	}
	return t.Format("2006-01-02T15:04:05.000000")
}
