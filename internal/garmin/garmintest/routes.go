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

// The operations.
const (
	OpPage     Op = "page"
	OpLogin    Op = "login"
	OpVerify   Op = "verify"
	OpResend   Op = "resend"
	OpExchange Op = "exchange"
	OpRefresh  Op = "refresh"
	OpProfile  Op = "profile"
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
	return all
}

// ask is one request: which region's server it reached, and its body.
type ask struct {
	*http.Request
	region string
	body   []byte
}

const (
	tokenPath   = "/di-oauth2-service/oauth/token"
	profilePath = "/userprofile-service/socialProfile"
)

// route finds the operation that a request asks for; "" when there is none.
func (a ask) route(host string) Op {
	switch a.Method + " " + host + a.URL.Path {
	case "GET sso/mobile/sso/en/sign-in":
		return OpPage
	case "POST sso/mobile/api/login":
		return OpLogin
	case "POST sso/mobile/api/mfa/verifyCode":
		return OpVerify
	case "POST sso/mobile/api/mfa/sendCode":
		return OpResend
	case "POST diauth" + tokenPath:
		if a.form().Get("grant_type") == "refresh_token" {
			return OpRefresh
		}
		return OpExchange
	case "GET connectapi" + profilePath:
		return OpProfile
	}
	return ""
}

func (s *Server) handler(op Op) func(http.ResponseWriter, ask) {
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
	default:
		return s.profile
	}
}

// serve counts a request, lets planned faults and holds have it, and answers it.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		return
	}
	host, region, ok := splitHost(r.Host)
	a := ask{r, region, body}
	op := a.route(host)
	w.Header().Set("Server", "cloudflare")
	switch ua := r.UserAgent(); {
	case !ok || op == "":
		writePage(w, http.StatusNotFound, "Sorry, we can't find that page")
		return
	case ua == "" || strings.HasPrefix(ua, "Go-http-client"):
		writePage(w, http.StatusForbidden, "Attention Required! | Cloudflare")
		return
	}
	answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { s.handler(op)(w, a) })
	s.admit(op, w, r, answer)
}

// splitHost splits a host name of Garmin's into its name and region.
func splitHost(host string) (name, region string, ok bool) {
	for _, region := range []string{Global, China} {
		if name, found := strings.CutSuffix(host, "."+region); found && slices.Contains(hostNames, name) {
			return name, region, true
		}
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
	_, _ = io.WriteString(w, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<title>"+title+"</title>\n</head>\n<body></body>\n</html>\n")
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
