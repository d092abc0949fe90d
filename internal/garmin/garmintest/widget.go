package garmintest

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// form is a sign-in page of the widget that was given out.
type form struct {
	backend string
	csrf    string
	since   time.Time
}

func embedService(region string) string { return "https://sso." + region + "/sso/embed" }

// widgetHandler answers an operation by pages below /sso/; nil when it has none.
func (s *Server) widgetHandler(op Op) func(http.ResponseWriter, ask) {
	switch op {
	case OpPage:
		return s.widgetPage
	case OpLogin:
		return s.widgetLogin
	case OpCodePage:
		return s.codePage
	case OpVerify:
		return s.widgetVerify
	case OpLanding:
		return s.landing
	case OpResend:
		return s.widgetResend
	}
	return nil
}

// widgetPage is the page that sets the edge's cookies, the end of a hand-off, or the form.
func (s *Server) widgetPage(w http.ResponseWriter, a ask) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setLocale(w)
	if a.URL.Path == "/sso/embed" {
		s.setEdgeCookies(w, a)
		writePage(w, http.StatusOK, "GAuth Embedded Version")
		return
	}
	if !a.widgetParams() {
		writePage(w, http.StatusBadRequest, "GARMIN Authentication Application")
		return
	}
	s.newForm(w, a, signInPage{})
}

// newForm gives out a sign-in page.
func (s *Server) newForm(w http.ResponseWriter, a ask, p signInPage) {
	session, backend := s.sessionOf(w, a)
	p.csrf, p.action, p.email = newCSRF(), a.signInAddress(), a.form().Get("username")
	s.forms[session] = &form{backend: backend, csrf: p.csrf, since: s.now()}
	s.note(p.csrf)
	p.write(w)
}

// newCSRF has the length of the recorded ones.
func newCSRF() string {
	raw := make([]byte, 50)
	_, _ = rand.Read(raw)
	return strings.ToUpper(hex.EncodeToString(raw))
}

// widgetParams checks the query that all pages of the widget carry.
func (a ask) widgetParams() bool {
	q := a.URL.Query()
	return q.Get("id") == "gauth-widget" && q.Get("embedWidget") == "true" && q.Get("service") == embedService(a.region) &&
		strings.HasPrefix(q.Get("gauthHost"), "https://sso."+a.region+"/sso") && q.Get("source") != ""
}

// signInAddress is where a sign-in begins anew, whichever page of the widget gives out the form.
func (a ask) signInAddress() string {
	q := a.URL.Query()
	for key, value := range map[string]string{
		"id": "gauth-widget", "embedWidget": "true", "gauthHost": "https://sso." + a.region + "/sso", "service": embedService(a.region),
	} {
		q.Set(key, value)
	}
	return "/sso/signin?" + q.Encode()
}

// formOf finds the form that a request answers: by its cookies.
func (s *Server) formOf(a ask) (string, *form) {
	session, _ := a.Cookie("SESSION")
	backend, _ := a.Cookie("__VCAP_ID__")
	if session == nil || backend == nil {
		return "", nil
	}
	f := s.forms[session.Value]
	if f == nil || f.backend != backend.Value || s.now().Sub(f.since) > loginLife {
		return "", nil
	}
	return session.Value, f
}

func (s *Server) widgetLogin(w http.ResponseWriter, a ask) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setLocale(w)
	in := a.form()
	s.note(in.Get("password"))
	session, f := s.formOf(a)
	if f == nil || f.csrf != in.Get("_csrf") || in.Get("embed") != "true" || !a.widgetParams() {
		s.newForm(w, a, signInPage{})
		return
	}
	acc := s.accounts[accountKey(a.region, in.Get("username"))]
	if s.limited(w, "") || s.refusesFlow(w, acc, "widget") {
		return
	}
	typ, _ := refuseLogin(acc, in.Get("password"), in.Get(captchaField))
	switch typ {
	case "":
		s.widgetSignedIn(w, a, acc, session, f)
	case "LOGIN_DENIED":
		writeHTML(w, http.StatusOK, "Unable to Sign In", "", "<h2>Unable to Sign In</h2>\n<p>A parent manages this account.</p>")
	case "CAPTCHA_REQUIRED":
		s.newForm(w, a, signInPage{captcha: true})
	case "ACCOUNT_LOCKED":
		s.newForm(w, a, signInPage{status: http.StatusUnauthorized, error: "Your account has been locked."})
	default:
		s.newForm(w, a, signInPage{
			status: http.StatusUnauthorized, error: "Invalid sign in. (Passwords are case sensitive.)", captcha: acc != nil && acc.Captcha,
		})
	}
}

// widgetSignedIn goes on after a right password: to the ticket, or to the page that asks for a code.
func (s *Server) widgetSignedIn(w http.ResponseWriter, a ask, acc *account, session string, f *form) {
	if acc.MFA == "" {
		s.setSignedInCookies(w, a, acc)
		writeSuccess(w, a, s.newTicket(acc, embedService(a.region)))
		return
	}
	s.voidCodes(acc)
	l := &login{account: acc, backend: f.backend, service: embedService(a.region), since: s.now(), csrf: f.csrf}
	if !acc.CodeOnRequest || acc.MFA == "totp" {
		l.code = s.newCode(acc)
	}
	s.logins[session] = l
	w.Header().Set("Location", "https://sso."+a.region+"/sso/verifyMFA/loginEnterMfaCode?"+a.URL.RawQuery)
	w.WriteHeader(http.StatusFound)
}

// widgetPending finds the login that a page of the widget goes on with.
func (s *Server) widgetPending(a ask) (string, *login) {
	session, _ := a.Cookie("SESSION")
	backend, _ := a.Cookie("__VCAP_ID__")
	if session == nil || backend == nil {
		return "", nil
	}
	l := s.logins[session.Value]
	if l == nil || l.backend != backend.Value || l.clientID != "" || s.now().Sub(l.since) > loginLife || l.wrong >= maxWrong {
		return "", nil
	}
	return session.Value, l
}

func (s *Server) codePage(w http.ResponseWriter, a ask) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setLocale(w)
	_, l := s.widgetPending(a)
	if l == nil {
		s.newForm(w, a, signInPage{})
		return
	}
	codeForm{login: l, csrf: l.csrf}.write(w)
}

func (s *Server) widgetVerify(w http.ResponseWriter, a ask) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setLocale(w)
	in := a.form()
	s.note(in.Get("mfa-code"))
	session, l := s.widgetPending(a)
	if l == nil || in.Get("_csrf") != l.csrf || in.Get("embed") != "true" || in.Get("fromPage") != "setupEnterMfaCode" || !a.widgetParams() {
		s.newForm(w, a, signInPage{})
		return
	}
	if l.code == "" || in.Get("mfa-code") != l.code {
		l.wrong++
		again := codeForm{login: l, wrong: true}
		if a.local {
			again.csrf = l.csrf // a person types into this very form, and has no earlier one to go by
		}
		again.write(w)
		return
	}
	delete(s.logins, session)
	token := rand.Text()[:10]
	s.landings[token] = l
	s.note(token)
	q := url.Values{
		"logintoken": {token}, "service": {l.service}, "locale": {"en"}, "embed": {"true"}, "embedWidget": {"true"},
	}
	for _, key := range []string{"source", "redirectAfterAccountLoginUrl", "consumeServiceTicket"} {
		if value := a.URL.Query().Get(key); value != "" {
			q.Set(key, value)
		}
	}
	w.Header().Set("Location", "https://sso."+a.region+"/sso/login?"+q.Encode())
	w.WriteHeader(http.StatusFound)
}

// landing is where a right code leads to.
func (s *Server) landing(w http.ResponseWriter, a ask) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setLocale(w)
	token := a.URL.Query().Get("logintoken")
	l := s.landings[token]
	if l == nil || l.account.Region != a.region {
		s.newForm(w, a, signInPage{})
		return
	}
	delete(s.landings, token)
	s.setSignedInCookies(w, a, l.account)
	writeSuccess(w, a, s.newTicket(l.account, l.service))
}

// widgetResend sends a code. What the real one answers was never recorded; any success counts.
func (s *Server) widgetResend(w http.ResponseWriter, a ask) {
	var in struct {
		GUID   string `json:"customerGuid"`
		Method string `json:"mfaMethod"`
		Locale string `json:"locale"`
	}
	if !a.decode(&in) {
		writeProblem(w, http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, l := s.widgetPending(a)
	known := l != nil && l.account.GUID == in.GUID && l.account.MFA == in.Method
	if !known || l.account.MFA == "totp" || l.resends >= maxResends {
		writeProblem(w, http.StatusBadRequest)
		return
	}
	l.resends++
	l.code = s.newCode(l.account)
	w.WriteHeader(http.StatusOK)
}
