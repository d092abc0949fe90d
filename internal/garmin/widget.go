package garmin

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// widgetSteps sign in by the HTML pages of the widget that other sites embed. Their answers are pages; page.go reads
// them.
type widgetSteps struct {
	userAgent string
}

func (widgetSteps) service(r Region) string { return widgetService(r) }

func (widgetSteps) embedURL(r Region) string {
	q := url.Values{"id": {"gauth-widget"}, "embedWidget": {"true"}, "gauthHost": {origin(r, "sso") + "/sso"}}
	return origin(r, "sso") + pathEmbed + "?" + q.Encode()
}

// url of a page below the sign-in: all of them carry the same parameters.
func (widgetSteps) url(r Region, path string) string {
	service := widgetService(r)
	q := url.Values{
		"id": {"gauth-widget"}, "embedWidget": {"true"}, "gauthHost": {service}, "service": {service},
		"source": {service}, "redirectAfterAccountLoginUrl": {service}, "redirectAfterAccountCreationUrl": {service},
	}
	return origin(r, "sso") + path + "?" + q.Encode()
}

// open gets the page that sets the edge's cookies, then the form.
func (f widgetSteps) open(ctx context.Context, c *Client, v *visit) error {
	if _, err := f.get(ctx, c, v, f.embedURL(v.region), ""); err != nil {
		return err
	}
	rep, err := f.get(ctx, c, v, f.url(v.region, pathSignIn), f.embedURL(v.region))
	if err != nil {
		return err
	}
	if v.csrf = readPage(rep.body).csrf; v.csrf == "" {
		return rep.fail(KindProtocol)
	}
	return nil
}

func (f widgetSteps) get(ctx context.Context, c *Client, v *visit, address, referer string) (*reply, error) {
	header := with(pageHeader, map[string]string{"User-Agent": f.userAgent})
	if referer != "" {
		header["Referer"], header["Sec-Fetch-Site"] = referer, "same-origin"
	}
	rep, err := c.do(ctx, call{
		op: opPage, region: v.region, method: http.MethodGet, url: address, jar: v.jar, follow: followAll, header: header,
	})
	if err != nil {
		return nil, err
	}
	return rep, rep.opened()
}

func (f widgetSteps) password(ctx context.Context, c *Client, v *visit, email string, password Secret) (*Ticket, *Challenge, error) {
	address := f.url(v.region, pathSignIn)
	rep, err := f.post(ctx, c, opLogin, v.region, v.jar, address, address, url.Values{
		"username": {email}, "password": {password.Reveal()}, "embed": {"true"}, "_csrf": {v.csrf},
	})
	if err != nil {
		return nil, nil, err
	}
	p, e := rep.parsePage()
	switch {
	case e != nil:
		return nil, nil, e
	case p.success():
		t, err := rep.pageTicket(p, v.region)
		return t, nil, err
	case p.asksCode():
		return nil, f.challenge(ctx, c, v, p), nil
	}
	return nil, nil, rep.loginPageRefused(p)
}

// challenge makes the challenge of a page, and has the code sent where Garmin waits to be asked: the page then names
// nobody to whom it was sent [I: python-garminconnect #386]. If that is refused the challenge stands all the same.
func (f widgetSteps) challenge(ctx context.Context, c *Client, v *visit, p *page) *Challenge {
	ch := &Challenge{
		Region: v.region, Method: cmp.Or(oneLine(p.vars["mfaMethod"]), "email"), SentTo: oneLine(p.vars["codeSentTo"]),
		flow: v.flow, jar: v.jar,
		form: mfaForm{
			CSRF: cmp.Or(p.csrf, v.csrf), CustomerGUID: p.vars["customerGuid"], Locale: p.vars["locale"],
			ClientID: p.vars["clientId"],
		},
	}
	byMail, byText := strings.EqualFold(ch.Method, "email"), strings.EqualFold(ch.Method, "sms")
	if ch.SentTo == "" && (byMail || byText) {
		ch.Unsent = f.resend(ctx, c, ch) != nil
	}
	return ch
}

func (f widgetSteps) code(ctx context.Context, c *Client, ch *Challenge, code Secret) (*Ticket, error) {
	address := f.url(ch.Region, pathCodePage)
	rep, err := f.post(ctx, c, opVerify, ch.Region, ch.jar, address, address, url.Values{
		"mfa-code": {code.Reveal()}, "embed": {"true"}, "_csrf": {ch.form.CSRF}, "fromPage": {"setupEnterMfaCode"},
	})
	if err != nil {
		return nil, err
	}
	p, e := rep.parsePage()
	switch {
	case e != nil:
		return nil, e
	case p.success():
		return rep.pageTicket(p, ch.Region)
	case p.asksCode():
		// After a wrong code the form's own token is empty [R]; the one before it goes on working.
		ch.form.CSRF = cmp.Or(p.csrf, ch.form.CSRF)
	}
	return nil, rep.codePageRefused(p)
}

// resend asks the way the page's own link does. Nobody has recorded the answer [C: any success counts].
func (f widgetSteps) resend(ctx context.Context, c *Client, ch *Challenge) error {
	body, err := json.Marshal(map[string]string{
		"customerGuid": ch.form.CustomerGUID, "mfaMethod": ch.Method, "locale": ch.form.Locale,
	})
	if err != nil {
		return &Error{Kind: KindProtocol, Op: opResend, Err: err}
	}
	rep, err := c.do(ctx, call{
		op: opResend, region: ch.Region, method: http.MethodPost, jar: ch.jar, body: body,
		url: origin(ch.Region, "sso") + pathSendCode + "?" + url.Values{"clientId": {ch.form.ClientID}}.Encode(),
		header: map[string]string{
			"User-Agent": f.userAgent, "Accept": "application/json, text/plain, */*", "Content-Type": "application/json",
			"Origin": origin(ch.Region, "sso"), "Referer": f.url(ch.Region, pathCodePage),
		},
	})
	if err != nil {
		return err
	}
	return rep.codeSent()
}

// codeSent judges the answer to a request for a code: nil for a success that is neither a page nor a refusal.
func (r *reply) codeSent() error {
	if r.isJSON() || r.edge() != nil || r.status >= 300 {
		e := r.refusal()
		switch {
		case e == nil && r.status < 300:
			return nil
		case e == nil:
			e = r.unknown()
		}
		return e.asNoResend()
	}
	if strings.HasPrefix(strings.TrimSpace(string(r.body)), "<") {
		return r.fail(KindNoResend)
	}
	return nil
}

// post sends a form. Garmin answers with a page, or with a redirect to one; only a redirect that drops the form is
// followed.
func (f widgetSteps) post(ctx context.Context, c *Client, op string, r Region, j *jar, address, referer string, form url.Values) (*reply, error) {
	return c.do(ctx, call{
		op: op, region: r, method: http.MethodPost, url: address, body: []byte(form.Encode()), jar: j, follow: followPages,
		header: with(pageHeader, map[string]string{
			"User-Agent": f.userAgent, "Content-Type": "application/x-www-form-urlencoded",
			"Origin": origin(r, "sso"), "Referer": referer, "Sec-Fetch-Site": "same-origin",
		}),
	})
}
