package garmintest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	ticketLife   = 2 * time.Minute
	loginLife    = 15 * time.Minute // assumed
	maxWrong     = 10               // assumed
	maxResends   = 5                // assumed; Garmin's page speaks of a maximum without naming it
	edgeLifetime = 30 * time.Minute // of the __cf_bm cookie
)

// signInClients are the client ids of the JSON calls, by the flow of each.
var signInClients = map[string]signInClient{
	"GCM_IOS_DARK":     {"ios", "/mobile/", "mobile.integration", "/gcm/ios"},
	"GCM_ANDROID_DARK": {"android", "/mobile/", "mobile.integration", "/gcm/android"},
	"GarminConnect":    {"portal", "/portal/", "connect", "/app"},
}

// signInClient is where a client's calls go and what service its tickets are for.
type signInClient struct{ flow, api, host, path string }

func (c signInClient) service(region string) string {
	return "https://" + c.host + "." + region + c.path
}

// login is a sign-in that waits for its code. It belongs to the cookies and the parameters that it began with.
type login struct {
	account  *account
	backend  string // the __VCAP_ID__ cookie, which leads back to the server that knows the session
	clientID string
	service  string
	code     string // "" when a later login voided it
	since    time.Time
	wrong    int
	resends  int
	csrf     string // of the widget's form
}

// page is the sign-in page; only its cookies matter.
func (s *Server) page(w http.ResponseWriter, a ask) {
	q := a.URL.Query()
	client, ok := signInClients[q.Get("clientId")]
	unserved := client.flow == "portal" && q.Get("service") != client.service(a.region)
	if !ok || unserved || !strings.HasPrefix(a.URL.Path, client.api) {
		writePage(w, http.StatusNotFound, "Sorry, we can't find that page")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setSessionCookies(w, a)
	writePage(w, http.StatusOK, "Garmin SSO Portal")
}

// params checks the query that all JSON calls of a sign-in carry.
func (a ask) params() (clientID, service string, ok bool) {
	q := a.URL.Query()
	clientID, service = q.Get("clientId"), q.Get("service")
	c, known := signInClients[clientID]
	ok = known && strings.HasPrefix(a.URL.Path, c.api) && service == c.service(a.region) && q.Get("locale") != ""
	return clientID, service, ok
}

func (s *Server) login(w http.ResponseWriter, a ask) {
	var in struct {
		Username     *string `json:"username"`
		Password     *string `json:"password"`
		RememberMe   *bool   `json:"rememberMe"`
		CaptchaToken *string `json:"captchaToken"`
	}
	clientID, service, ok := a.params()
	if !ok || !a.decode(&in) || in.Username == nil || in.Password == nil || in.RememberMe == nil || in.CaptchaToken == nil {
		writeProblem(w, http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(*in.Password)
	session, backend := s.sessionOf(w, a)
	acc := s.accounts[accountKey(a.region, *in.Username)]
	if s.limited(w, clientID) || s.refusesFlow(w, acc, signInClients[clientID].flow) {
		return
	}
	if typ, message := refuseLogin(acc, *in.Password, *in.CaptchaToken); typ != "" {
		status := http.StatusUnauthorized
		if typ == "CAPTCHA_REQUIRED" {
			status = http.StatusOK
		}
		writeJSON(w, status, refusedLogin(status, typ, message))
		return
	}
	if acc.MFA == "" {
		s.setSignedInCookies(w, a, acc)
		writeJSON(w, http.StatusOK, signedIn(service, s.newTicket(acc, service)))
		return
	}
	s.voidCodes(acc)
	s.logins[session] = &login{
		account: acc, backend: backend, clientID: clientID, service: service, code: s.newCode(acc), since: s.now(),
	}
	writeJSON(w, http.StatusOK, codeWanted(acc.Account))
}

// LimitClient makes the sign-in and token services refuse the next n calls with a client id.
func (s *Server) LimitClient(clientID string, n int) {
	s.lock()
	defer s.mu.Unlock()
	s.limits[clientID] = n
}

// limited answers a call whose client id is limited.
func (s *Server) limited(w http.ResponseWriter, clientID string) bool {
	if s.limits[clientID] <= 0 {
		return false
	}
	s.limits[clientID]--
	writeGatewayError(w, http.StatusTooManyRequests, "429")
	return true
}

// refusesFlow answers an account that cannot sign in by a flow.
func (s *Server) refusesFlow(w http.ResponseWriter, acc *account, flow string) bool {
	if acc == nil || s.serves(acc, flow) {
		return false
	}
	writeGatewayError(w, http.StatusOK, "427")
	return true
}

func (s *Server) serves(acc *account, flow string) bool {
	if acc.Flows != nil {
		return slices.Contains(acc.Flows, flow)
	}
	return flow != "portal" || acc.MFA == "" || s.PortalMFA
}

// refuseLogin gives the type and message of a refusal, "" for a right password. Only the first pair is in a
// recording; an unknown user gets it, too. Any answer to the captcha solves it.
func refuseLogin(acc *account, password, captcha string) (typ, message string) {
	switch {
	case acc == nil:
		return "INVALID_USERNAME_PASSWORD", "generalLoginInvalidUsernameOrPassword"
	case acc.Captcha && captcha == "":
		return "CAPTCHA_REQUIRED", ""
	case acc.Locked:
		return "ACCOUNT_LOCKED", "generalLoginMobileAccountLocked"
	case acc.Password != password:
		return "INVALID_USERNAME_PASSWORD", "generalLoginInvalidUsernameOrPassword"
	case acc.Child:
		return "LOGIN_DENIED", "applicationSecurityPolicyLoginDeniedChildAccountText"
	}
	return "", ""
}

// voidCodes makes the codes of an account's earlier logins worthless; an authenticator's code belongs to no login.
func (s *Server) voidCodes(acc *account) {
	for _, l := range s.logins {
		if l.account == acc && acc.MFA != "totp" {
			l.code = ""
		}
	}
}

// pending finds the login that a request goes on with: by its cookies, and with its parameters.
func (s *Server) pending(a ask) (string, *login) {
	session, _ := a.Cookie("SESSION")
	backend, _ := a.Cookie("__VCAP_ID__")
	clientID, service, ok := a.params()
	if session == nil || backend == nil || !ok {
		return "", nil
	}
	l := s.logins[session.Value]
	if l == nil || l.backend != backend.Value || l.clientID != clientID || l.service != service ||
		s.now().Sub(l.since) > loginLife {
		return "", nil
	}
	return session.Value, l
}

func (s *Server) verify(w http.ResponseWriter, a ask) {
	var in struct {
		Method     string    `json:"mfaMethod"`
		Code       *string   `json:"mfaVerificationCode"`
		Remember   *bool     `json:"rememberMyBrowser"`
		Reconsents *[]string `json:"reconsentList"`
		Setup      *bool     `json:"mfaSetup"`
	}
	if !a.decode(&in) || in.Code == nil || in.Remember == nil || in.Reconsents == nil || in.Setup == nil {
		writeProblem(w, http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(*in.Code)
	session, l := s.pending(a)
	switch {
	case l == nil || l.wrong >= maxWrong || in.Method != l.account.MFA:
		writeJSON(w, http.StatusUnauthorized, refusedCode(http.StatusUnauthorized, "SESSION_EXPIRED", "generalLoginYourSessionHasExpired"))
	case l.code == "" || *in.Code != l.code:
		l.wrong++
		s.rotateEdgeCookie(w, a)
		s.writeWrongCode(w)
	default:
		delete(s.logins, session)
		s.setSignedInCookies(w, a, l.account)
		writeJSON(w, http.StatusOK, codeAccepted(l.service, s.newTicket(l.account, l.service)))
	}
}

// writeWrongCode: no recording shows this answer.
func (s *Server) writeWrongCode(w http.ResponseWriter) {
	if s.WrongCodeOK {
		writeJSON(w, http.StatusOK, refusedCode(http.StatusOK, "MFA_FAILED", "codeEntryError"))
		return
	}
	writeJSON(w, http.StatusUnauthorized, refusedCode(http.StatusUnauthorized, "INVALID_MFA_CODE", "codeEntryInvalid"))
}

func (s *Server) resend(w http.ResponseWriter, a ask) {
	var in struct {
		Method string `json:"mfaMethod"`
	}
	if !a.decode(&in) {
		writeProblem(w, http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, l := s.pending(a)
	switch {
	case l == nil:
		writeJSON(w, http.StatusUnauthorized, refusedCode(http.StatusUnauthorized, "SESSION_EXPIRED", "generalLoginYourSessionHasExpired"))
	case l.account.MFA == "totp" || !strings.EqualFold(in.Method, l.account.MFA):
		writeJSON(w, http.StatusBadRequest, refusedCode(http.StatusBadRequest, "MFA_METHOD_UNSUPPORTED", "generateMfacodeError"))
	case l.resends >= maxResends:
		writeJSON(w, http.StatusBadRequest, refusedCode(http.StatusBadRequest, "MFA_CODE_LIMIT", "codeEntryMaxLimit"))
	default:
		l.resends++
		l.code = s.newCode(l.account)
		s.rotateEdgeCookie(w, a)
		writeJSON(w, http.StatusOK, refusedCode(http.StatusOK, "MFA_CODE_SENT", ""))
	}
}
