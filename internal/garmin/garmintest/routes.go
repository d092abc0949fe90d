package garmintest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
)

// Op names one of Garmin's operations.
type Op string

// The operations. Where both the JSON calls and the widget's pages have one, it is the same.
const (
	OpPage         Op = "page"         // each page before the password, of which the widget has two
	OpLogin        Op = "login"        // the password
	OpCodePage     Op = "code_page"    // the widget's page that asks for a code
	OpVerify       Op = "verify"       // the code
	OpLanding      Op = "landing"      // the widget's page after a right code, which holds the ticket
	OpResend       Op = "resend"       // a request for a code
	OpExchange     Op = "exchange"     // of a ticket at the DI service
	OpRefresh      Op = "refresh"      // of a DI token
	OpPreauthorize Op = "preauthorize" // of a ticket for an OAuth1 token
	OpOAuth1       Op = "oauth1"       // of an OAuth1 token for an access token
	OpProfile      Op = "profile"
	OpConsumer     Op = "consumer" // the file with the OAuth1 consumer, which is not Garmin's
)

// hostNames are the names below a region's domain that answer.
var hostNames = []string{"sso", "connectapi", "diauth", "connect", "mobile.integration"}

// Hosts are all names that a Server answers for.
func Hosts() []string {
	var all []string
	for _, region := range []string{Global, China} {
		for _, name := range hostNames {
			all = append(all, name+"."+region)
		}
	}
	return append(all, consumerHost)
}

// ask is one request: which region's server it reached, and its body.
type ask struct {
	*http.Request
	region string
	body   []byte
	local  bool // by ListenPages: whoever asks must not be sent to Garmin's hosts
}

const (
	tokenPath   = "/di-oauth2-service/oauth/token"
	profilePath = "/userprofile-service/socialProfile"
)

// routes are all that is answered, by method, name of the host, and path.
var routes = map[string]Op{
	"GET sso/mobile/sso/en/sign-in":                OpPage,
	"GET sso/portal/sso/en-US/sign-in":             OpPage,
	"GET sso/sso/embed":                            OpPage,
	"GET sso/sso/signin":                           OpPage,
	"POST sso/mobile/api/login":                    OpLogin,
	"POST sso/portal/api/login":                    OpLogin,
	"POST sso/sso/signin":                          OpLogin,
	"GET sso/sso/verifyMFA/loginEnterMfaCode":      OpCodePage,
	"POST sso/mobile/api/mfa/verifyCode":           OpVerify,
	"POST sso/portal/api/mfa/verifyCode":           OpVerify,
	"POST sso/sso/verifyMFA/loginEnterMfaCode":     OpVerify,
	"GET sso/sso/login":                            OpLanding,
	"POST sso/mobile/api/mfa/sendCode":             OpResend,
	"POST sso/portal/api/mfa/sendCode":             OpResend,
	"POST sso/sso/verifyMFA/mfaCode":               OpResend,
	"POST diauth" + tokenPath:                      OpExchange,
	"GET connectapi" + preauthorizedPath:           OpPreauthorize,
	"POST connectapi" + oauth1Path:                 OpOAuth1,
	"GET connectapi" + profilePath:                 OpProfile,
	"GET " + consumerHost + "/oauth_consumer.json": OpConsumer,
}

// route finds the operation that a request asks for; "" when there is none.
func (a ask) route(host string) Op {
	op := routes[a.Method+" "+host+a.URL.Path]
	if op == OpExchange && a.form().Get("grant_type") == "refresh_token" {
		return OpRefresh
	}
	return op
}

func (s *Server) handler(op Op, a ask) func(http.ResponseWriter, ask) {
	if h := s.widgetHandler(op); h != nil && strings.HasPrefix(a.URL.Path, "/sso/") {
		return h
	}
	switch op {
	case OpPage:
		return s.page
	case OpLogin:
		return s.login
	case OpVerify:
		return s.verify
	case OpResend:
		return s.resend
	case OpExchange:
		return s.exchange
	case OpRefresh:
		return s.refresh
	case OpPreauthorize:
		return s.preauthorize
	case OpOAuth1:
		return s.exchangeOAuth1
	case OpConsumer:
		return s.consumer
	default:
		return s.profile
	}
}

// serve counts a request, lets planned faults and holds have it, and answers it.
func (s *Server) serve(w http.ResponseWriter, a ask) {
	var err error
	if a.body, err = io.ReadAll(http.MaxBytesReader(w, a.Body, 1<<20)); err != nil {
		return
	}
	a.Body = io.NopCloser(bytes.NewReader(a.body)) // faults may look at it
	host, region, ok := splitHost(a.Host)
	a.region = region
	op := a.route(host)
	w.Header().Set("Server", "cloudflare")
	switch ua := a.UserAgent(); {
	case !ok || op == "":
		writePage(w, http.StatusNotFound, "Sorry, we can't find that page")
		return
	case ua == "" || strings.HasPrefix(ua, "Go-http-client"):
		writePage(w, http.StatusForbidden, "Attention Required! | Cloudflare")
		return
	}
	answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { s.handler(op, a)(w, a) })
	s.admit(op, w, a.Request, answer)
}

// splitHost splits a host name of Garmin's into its name and region. The consumer's host has no region.
func splitHost(host string) (name, region string, ok bool) {
	for _, region := range []string{Global, China} {
		if name, found := strings.CutSuffix(host, "."+region); found && slices.Contains(hostNames, name) {
			return name, region, true
		}
	}
	if host == consumerHost {
		return consumerHost, "", true
	}
	return "", "", false
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

func writePage(w http.ResponseWriter, status int, title string) {
	w.Header().Set("Content-Type", "text/html;charset=UTF-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<title>"+title+"</title>\n</head>\n<body><h1>"+title+"</h1></body>\n</html>\n")
}

// writeProblem refuses a malformed request the way the sign-in service does.
func writeProblem(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"type": "about:blank", "title": http.StatusText(status), "status": status,
	})
}

// decode reads a JSON body that holds exactly the members of v.
func (a ask) decode(v any) bool {
	dec := json.NewDecoder(bytes.NewReader(a.body))
	dec.DisallowUnknownFields()
	return a.Header.Get("Content-Type") == "application/json" && dec.Decode(v) == nil
}
