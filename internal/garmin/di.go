package garmin

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
)

// Exchange turns a ticket into a session at Garmin's DI token service. It tries the client ids in order on the one
// ticket, the one that worked last first.
//
// Errors: KindTicketRefused when none was accepted: the ticket may be spent, the user signs in again. KindBlocked,
// KindRateLimited, KindClientLimited, KindUnavailable, KindProtocol; after these, Sent says whether the ticket may
// be spent.
func (c *Client) Exchange(ctx context.Context, t *Ticket) (*Session, error) {
	var err error
	for _, n := range c.clientOrder() {
		var s *Session
		s, err = c.exchange(ctx, t, c.clientIDs[n])
		if err == nil {
			c.lastGood.Store(int32(n))
			return s, nil
		}
		if KindOf(err) != KindTicketRefused {
			break
		}
	}
	return nil, err
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
	rep, err := c.postToken(ctx, "exchange", t.Region, clientID, url.Values{
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
	return c.firstSession(t.Region, f)
}

// ticketRefused marks the service's refusal of this client id or ticket: whatever the body, by these two statuses.
func (r *reply) ticketRefused(e *Error) *Error {
	refused := r.status == http.StatusBadRequest || r.status == http.StatusUnauthorized
	if refused && (e.Kind == KindProtocol || e.Kind == KindUnavailable) {
		e.Kind, e.sent = KindTicketRefused, false
	}
	return e
}

// Refresh gets a new access token with the refresh token of s, which it leaves as it is. Garmin may rotate the
// refresh token: the old one can be dead as soon as the request was sent, so the result must be kept, and after an
// error with Sent the old one may or may not still work.
//
// Errors: KindGrantDead, KindBlocked, KindRateLimited, KindClientLimited, KindUnavailable, KindProtocol.
func (c *Client) Refresh(ctx context.Context, s *Session) (*Session, error) {
	switch {
	case s.legacy():
		return nil, &Error{Kind: KindProtocol, Op: "refresh", Err: errors.New("an OAuth1 session has no DI grant")}
	case s.refreshToken() == "":
		return nil, &Error{Kind: KindGrantDead, Op: "refresh", Err: errors.New("the session has no refresh token")}
	}
	clientID := s.claims.clientID
	if clientID == "" {
		clientID = c.clientIDs[c.lastGood.Load()]
	}
	rep, err := c.postToken(ctx, "refresh", s.region, clientID, url.Values{
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
	return c.nextSession(s, f)
}

func (c *Client) postToken(ctx context.Context, op string, r Region, clientID string, form url.Values) (*reply, error) {
	header := map[string]string{
		"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(clientID+":")),
		"Accept":        "application/json",
		"Content-Type":  "application/x-www-form-urlencoded",
		"Cache-Control": "no-cache",
	}
	for k, v := range appHeaders {
		header[k] = v
	}
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
