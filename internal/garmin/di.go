package garmin

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
)

// Exchange turns a ticket into a session. This is the order, each step only after the one before refused:
//
//  1. Garmin's DI token service, with each of Options.DIClientIDs in turn, the one that worked last first;
//  2. OAuth1, when Options.Consumer is set, the ticket is of the Android app's or the widget's service, and DI refused
//     every client id as such: then it did not judge the ticket, which so is not spent.
//
// Errors: KindTicketRefused when nothing took it: the ticket may be spent, the user signs in again. KindBlocked,
// KindRateLimited, KindClientLimited, KindUnavailable, KindProtocol; after these, Sent says whether the ticket may
// be spent.
func (c *Client) Exchange(ctx context.Context, t *Ticket) (*Session, error) {
	var err, judged error
	for _, n := range c.clientOrder() {
		var s *Session
		s, err = c.exchange(ctx, t, c.clientIDs[n])
		if err == nil {
			c.lastGood.Store(int32(n))
			return s, nil
		}
		if KindOf(err) != KindTicketRefused {
			return nil, err
		}
		if errorOf(err).Judged() {
			judged = err
		}
	}
	if judged != nil {
		return nil, judged
	}
	if c.consumer == nil || !legacyTicket(t) {
		return nil, err
	}
	return c.exchangeLegacy(ctx, t)
}

// Judged reports that the DI service refused a ticket itself: it is spent, or too old. Else what was refused is the
// client id, before the ticket was looked at (RFC 6749, 5.2), or the way of OAuth1.
func (e *Error) Judged() bool {
	return e.Kind == KindTicketRefused && e.Op == opExchange && e.Type != "invalid_client" && e.Type != "unauthorized_client"
}

// clientOrder gives indices into clientIDs, the last good one first.
func (c *Client) clientOrder() []int {
	first := int(c.lastGood.Load())
	order := []int{first}
	for n := range c.clientIDs {
		if n != first {
			order = append(order, n)
		}
	}
	return order
}

func (c *Client) exchange(ctx context.Context, t *Ticket, clientID string) (*Session, error) {
	rep, err := c.postToken(ctx, opExchange, t.Region, clientID, url.Values{
		"grant_type":     {grantTicket},
		"client_id":      {clientID},
		"service_ticket": {t.Value.Reveal()},
		"service_url":    {t.ServiceURL},
	})
	if err != nil {
		return nil, err
	}
	f, e := rep.parseToken()
	if e != nil {
		return nil, rep.ticketRefused(e)
	}
	return c.firstSession(opExchange, oauth1Object(t.Region, url.Values{}), f)
}

// ticketRefused marks the service's refusal of this client id or ticket: whatever the body, by these two statuses.
func (r *reply) ticketRefused(e *Error) *Error {
	refused := r.status == http.StatusBadRequest || r.status == http.StatusUnauthorized
	if refused && (e.Kind == KindProtocol || e.Kind == KindUnavailable) {
		e.Kind, e.sent = KindTicketRefused, false
	}
	return e
}

// Refresh gets a new access token the way that s.Renewal names, and leaves s as it is. With RenewDI, Garmin may rotate
// the refresh token: the old one can be dead as soon as the request was sent, so the result must be kept, and after an
// error with Sent the old one may or may not still work. With RenewOAuth1 nothing is used up.
//
// Errors: KindGrantDead, KindBlocked, KindRateLimited, KindClientLimited, KindUnavailable, KindProtocol. OAuth1 says
// KindGrantDead also when Garmin refuses one signature: believe it when it says so again a minute later.
func (c *Client) Refresh(ctx context.Context, s *Session) (*Session, error) {
	switch s.Renewal() {
	case RenewDI:
		return c.refreshDI(ctx, s)
	case RenewOAuth1:
		return c.refreshOAuth1(ctx, s)
	}
	return nil, &Error{Kind: KindGrantDead, Op: opRefresh, Err: errors.New("the session has nothing to renew it with")}
}

func (c *Client) refreshDI(ctx context.Context, s *Session) (*Session, error) {
	clientID := cmp.Or(s.clientID(), c.clientIDs[c.lastGood.Load()])
	rep, err := c.postToken(ctx, opRefresh, s.region, clientID, url.Values{
		"grant_type":    {grantRefresh},
		"client_id":     {clientID},
		"refresh_token": {s.refreshToken()},
	})
	if err != nil {
		return nil, err
	}
	f, e := rep.parseToken()
	if e != nil {
		if e.Kind == KindProtocol && rep.status >= 400 && e.Type == "invalid_grant" {
			e.Kind = KindGrantDead
		}
		return nil, e
	}
	return c.nextSession(opRefresh, s, f)
}

func (c *Client) postToken(ctx context.Context, op string, r Region, clientID string, form url.Values) (*reply, error) {
	header := with(appHeaders, map[string]string{
		"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(clientID+":")),
		"Accept":        "application/json",
		"Content-Type":  "application/x-www-form-urlencoded",
		"Cache-Control": "no-cache",
	})
	return c.do(ctx, call{
		op: op, region: r, method: http.MethodPost, url: origin(r, "diauth") + pathToken,
		header: header, body: []byte(form.Encode()),
	})
}

// parseToken reads an answer of the token service: its members, or what it refused.
func (r *reply) parseToken() (fields, *Error) {
	if e := r.refusal(); e != nil {
		return nil, e
	}
	f, _ := parseFields(r.body)
	if r.status == http.StatusOK && f.text("access_token") != "" {
		return f, nil
	}
	e := r.unknown()
	if r.status < 500 {
		e.Type = cleanType(f.text("error"))
	}
	return nil, e
}
