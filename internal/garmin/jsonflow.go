package garmin

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
)

// jsonSteps sign in by JSON calls, as Garmin's mobile apps and its own web page do.
type jsonSteps struct {
	clientID  string
	host      string // of the service URL
	path      string // of the service URL
	page      string // sign-in page to open first, "" for none
	api       string // path of the JSON calls
	browser   bool   // asks as a browser does: the page is opened for a service, and the calls name the page
	userAgent string
}

func (f jsonSteps) service(r Region) string { return origin(r, f.host) + f.path }

func (f jsonSteps) pageURL(r Region) string {
	q := url.Values{"clientId": {f.clientID}}
	if f.browser {
		q.Set("service", f.service(r))
	}
	return origin(r, "sso") + f.page + "?" + q.Encode()
}

func (f jsonSteps) apiURL(r Region, path string) string {
	q := url.Values{"clientId": {f.clientID}, "locale": {"en-US"}, "service": {f.service(r)}}
	return origin(r, "sso") + f.api + path + "?" + q.Encode()
}

// pageHeader is what a browser sends when a person opens a page.
var pageHeader = map[string]string{
	"Accept":          "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
	"Accept-Language": "en-US,en;q=0.9",
	"Sec-Fetch-Mode":  "navigate",
	"Sec-Fetch-Dest":  "document",
	"Sec-Fetch-Site":  "none",
}

// with returns a copy of header with more in it.
func with(header map[string]string, more map[string]string) map[string]string {
	all := maps.Clone(header)
	maps.Copy(all, more)
	return all
}

// open gets the cookies of the sign-in page, where the flow has one.
func (f jsonSteps) open(ctx context.Context, c *Client, v *visit) error {
	if f.page == "" {
		return nil
	}
	rep, err := c.do(ctx, call{
		op: opPage, region: v.region, method: http.MethodGet, url: f.pageURL(v.region), jar: v.jar, follow: followAll,
		header: with(pageHeader, map[string]string{"User-Agent": f.userAgent}),
	})
	if err != nil {
		return err
	}
	return rep.opened()
}

func (f jsonSteps) password(ctx context.Context, c *Client, v *visit, email string, password Secret) (*Ticket, *Challenge, error) {
	rep, err := f.post(ctx, c, opLogin, v.region, v.jar, pathLogin, map[string]any{
		"username": email, "password": password.Reveal(), "rememberMe": true, "captchaToken": "",
	})
	if err != nil {
		return nil, nil, err
	}
	s, e := rep.parseSSO()
	switch {
	case e != nil:
		return nil, nil, e
	case s.Status.Type == typeSuccessful:
		t, err := rep.ticket(s, f.service(v.region), v.region)
		return t, nil, err
	case s.Status.Type == typeMFARequired:
		return nil, newChallenge(s, v), nil
	}
	return nil, nil, rep.loginRefused(s)
}

func (f jsonSteps) code(ctx context.Context, c *Client, ch *Challenge, code Secret) (*Ticket, error) {
	rep, err := f.post(ctx, c, opVerify, ch.Region, ch.jar, pathVerify, map[string]any{
		"mfaMethod": ch.Method, "mfaVerificationCode": code.Reveal(), "rememberMyBrowser": true,
		"reconsentList": []string{}, "mfaSetup": false,
	})
	if err != nil {
		return nil, err
	}
	s, e := rep.parseSSO()
	switch {
	case e != nil:
		return nil, e
	case s.Status.Type == typeSuccessful:
		return rep.ticket(s, f.service(ch.Region), ch.Region)
	}
	return nil, rep.codeRefused(s)
}

func (f jsonSteps) resend(ctx context.Context, c *Client, ch *Challenge) error {
	rep, err := f.post(ctx, c, opResend, ch.Region, ch.jar, pathResend, map[string]any{"mfaMethod": ch.Method})
	if err != nil {
		return err
	}
	s, e := rep.parseSSO()
	if e == nil {
		if s.Status.Type == typeCodeSent {
			return nil
		}
		e = rep.refused(s)
	}
	return e.asNoResend()
}

// post sends one JSON call. It is never followed to another address: the body holds a secret.
func (f jsonSteps) post(ctx context.Context, c *Client, op string, r Region, j *jar, path string, body map[string]any) (*reply, error) {
	header := map[string]string{
		"User-Agent":      f.userAgent,
		"Accept":          "application/json, text/plain, */*",
		"Accept-Language": "en-US,en;q=0.9",
		"Content-Type":    "application/json",
		"Origin":          origin(r, "sso"),
	}
	if f.browser {
		header["Referer"] = f.pageURL(r)
	}
	b, err := json.Marshal(body)
	if err != nil {
		return nil, &Error{Kind: KindProtocol, Op: op, Err: err}
	}
	return c.do(ctx, call{
		op: op, region: r, method: http.MethodPost, url: f.apiURL(r, path), body: b, jar: j, header: header,
	})
}
