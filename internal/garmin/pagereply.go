package garmin

import (
	"net/http"
	"strings"
)

// parsePage reads an answer of the widget: a page of Garmin's own. Whatever else came instead is refused as anywhere.
func (r *reply) parsePage() (*page, *Error) {
	if r.isJSON() {
		if e := r.refusal(); e != nil {
			return nil, e
		}
		return nil, r.unknown()
	}
	p := readPage(r.body)
	if e := r.edge(); e != nil && !p.ours() {
		return nil, e
	}
	switch {
	case r.status >= 500, r.status == http.StatusTooManyRequests, !p.ours() && p.title == "":
		return nil, r.refusal()
	case !p.ours():
		return nil, r.pageProtocol(p)
	}
	return p, nil
}

// ours reports that Garmin's application made the page, and not what stands before it.
func (p *page) ours() bool {
	return p.success() || p.asksCode() || p.login || len(p.alerts) > 0 || p.managed()
}

func (p *page) success() bool { return p.title == "Success" }

// asksCode goes by the variables: the sign-in page can have the same title [R].
func (p *page) asksCode() bool {
	return !p.success() && (strings.Contains(p.title, "MFA") || p.vars["mfaMethod"] != "")
}

// managed is the page for accounts that a parent manages [C].
func (p *page) managed() bool {
	title := strings.ToLower(p.title)
	return strings.Contains(title, "unable to sign in") || strings.Contains(title, "unable to login")
}

func (r *reply) pageTicket(p *page, region Region) (*Ticket, error) {
	if !ticketShape.MatchString(p.ticket) {
		return nil, r.pageProtocol(p)
	}
	return &Ticket{Value: Secret(p.ticket), ServiceURL: widgetService(region), Region: region}, nil
}

// loginPageRefused judges a page that answers a password. Only Garmin's own sentence counts as a wrong one [R]; the
// other words are those of its pages' texts [A].
func (r *reply) loginPageRefused(p *page) *Error {
	said := strings.ToLower(p.title + " " + p.alerts["status"])
	has := func(word string) bool { return strings.Contains(said, word) }
	switch {
	case p.managed():
		return r.pageKind(p, KindChild)
	case has("locked"):
		return r.pageKind(p, KindLocked)
	case has("disabled"), has("account error"), has("reset your password"), has("account problem"):
		return r.pageKind(p, KindAttention)
	case has("too many"):
		return r.pageKind(p, KindClientLimited)
	case r.status == http.StatusUnauthorized && has("invalid sign in"):
		return r.pageKind(p, KindCredentials)
	case p.vars["isRecaptchaEnabled"] == "true":
		return r.pageKind(p, KindCaptcha)
	}
	return r.pageProtocol(p)
}

// codePageRefused judges a page that answers a code: the form again is a wrong code, the password's form a login that
// Garmin has forgotten.
func (r *reply) codePageRefused(p *page) *Error {
	_, broken := p.alerts["genericError"]
	_, wrong := p.alerts["invalidCode"]
	switch {
	case strings.Contains(strings.ToLower(p.title+p.alerts["status"]), "locked"):
		return r.pageKind(p, KindLocked)
	case p.asksCode() && (wrong || !broken):
		return r.pageKind(p, KindCode)
	case p.login:
		return r.pageKind(p, KindChallengeGone)
	}
	return r.pageProtocol(p)
}

// pageKind is the Error of a page that Garmin's application answered with: it judged.
func (r *reply) pageKind(p *page, k Kind) *Error {
	e := r.fail(k)
	e.Type, e.sent = cleanType(p.title), false
	return e
}

// pageProtocol is the Error of a page that is not known. What it did is not known either.
func (r *reply) pageProtocol(p *page) *Error {
	e := r.pageKind(p, KindProtocol)
	e.sent = true
	return e
}
