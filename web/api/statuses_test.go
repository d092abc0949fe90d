package api

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/limit"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

// fails makes every statement that needs the time fail with an SQLSTATE.
func (s *site) fails(code string) {
	s.t.Helper()
	_, err := s.db.Pool.Exec(s.t.Context(), `CREATE OR REPLACE FUNCTION `+pgtest.Schema+`.app_now() RETURNS timestamptz
		LANGUAGE plpgsql STABLE AS $$ BEGIN RAISE EXCEPTION 'out of order' USING ERRCODE = '`+code+`'; END $$`)
	if err != nil {
		s.t.Fatal(err)
	}
}

// statusWay is how a request like an example comes to an answer of some status.
type statusWay func(example) *answer

func (e example) sent(p program, headers ...string) *answer {
	p.t.Helper()
	return p.do(e.method, e.path, e.body, append(slices.Clone(e.headers), headers...)...)
}

func (e example) with(path, body string) example {
	e.path, e.body = path, body
	return e
}

// statusWays are those of every route. 42 is linked, 43 is not, 44 nobody.
func statusWays(t *testing.T, p program) map[int]statusWay {
	t.Helper()
	down, broken := newSite(t), newSite(t)
	unhappy := map[int]program{http.StatusServiceUnavailable: down.program(account.Scopes()...), http.StatusInternalServerError: broken.program(account.Scopes()...)}
	down.fails("57P01")
	broken.fails("XX000")
	used := newSite(t, func(c *Config) { c.Rate = limit.Rate{Burst: 1, Per: time.Hour} }).program(account.Scopes()...)
	used.get("/nothing")
	used.get("/events").want(http.StatusOK)
	scopeless := func(e example) program {
		return p.program(slices.DeleteFunc(account.Scopes(), func(s account.Scope) bool { return s == e.scope })...)
	}
	nobody := strings.NewReplacer("ext:42", "ext:44")
	return map[int]statusWay{
		http.StatusUnauthorized: func(e example) *answer { return e.sent(p, "Authorization", "") },
		http.StatusForbidden:    func(e example) *answer { return e.sent(scopeless(e)) },
		http.StatusNotFound:     func(e example) *answer { return e.with(nobody.Replace(e.path), e.body).sent(p) },
		http.StatusRequestEntityTooLarge: func(e example) *answer {
			return e.with(e.path, e.body+strings.Repeat(" ", 256<<10)).sent(p)
		},
		http.StatusUnsupportedMediaType: func(e example) *answer { return e.sent(p, "Content-Type", "text/plain") },
		http.StatusUnprocessableEntity:  func(e example) *answer { return e.with(e.path, "{}").sent(p) },
		http.StatusBadRequest: func(e example) *answer {
			if e.body != "" {
				return e.with(e.path, "{").sent(p)
			}
			path, _, _ := strings.Cut(e.path, "?")
			return e.with(strings.Replace(path, "ext:42", "nonsense", 1)+"?limit=0", "").sent(p)
		},
		http.StatusTooManyRequests:     func(e example) *answer { return e.sent(used) },
		http.StatusInternalServerError: func(e example) *answer { return e.sent(unhappy[http.StatusInternalServerError]) },
		http.StatusServiceUnavailable:  func(e example) *answer { return e.sent(unhappy[http.StatusServiceUnavailable]) },
	}
}

// particular are the ways of single routes, in the place of the usual ones.
func particular(p program) map[string]map[int]statusWay {
	put := func(user, account string, headers ...string) statusWay {
		return func(example) *answer {
			p.t.Helper()
			return p.do(http.MethodPut, "/links/"+user+"/session", `{"session":`+quoted(p.session(account))+`}`, headers...)
		}
	}
	sent := func(method, path, body string) statusWay {
		return func(example) *answer { p.t.Helper(); return p.do(method, path, body) }
	}
	var created ConnectSession
	p.post("/connect-sessions", connectBody).want(http.StatusCreated).read(&created)
	connect := "/connect-sessions/" + created.ID.String()
	return map[string]map[int]statusWay{
		"listLinks":  {200: sent("GET", "/links", "")},
		"getLink":    {200: sent("GET", "/links/ext:42", "")},
		"listEvents": {200: sent("GET", "/events", "")},
		"deleteLink": {204: sent("DELETE", "/links/ext:43", "")},
		"reportAll":  {200: sent("POST", "/reports", `{"reports":[{"user":"ext:44","generation":1,"outcome":"ok"}]}`)},
		"report":     {200: sent("POST", "/links/ext:42/report", `{"generation":1,"outcome":"ok"}`)},
		"checkOut": {
			200: sent("POST", "/links/ext:42/checkout", `{"format":"bearer"}`),
			409: sent("POST", "/links/ext:43/checkout", `{"format":"bearer"}`),
		},
		"putSession": {
			200: put("ext:42", "plain", "If-Match", `"1"`),
			201: put("ext:50", "second", "If-None-Match", "*"),
			404: put("ext:44", "plain", "If-Match", `"1"`),
			409: put("ext:43", "plain", "If-Match", `"1"`),
			412: put("ext:42", "plain", "If-Match", `"999999"`),
			428: put("ext:42", "plain"),
		},
		"createConnectSession": {
			201: sent("POST", "/connect-sessions", connectBody),
			404: sent("POST", "/connect-sessions", strings.Replace(connectBody, "ext:42", uuid.NewString(), 1)),
			409: sent("POST", "/connect-sessions", strings.NewReplacer("ext:42", "ext:43", `"link"`, `"relink"`).Replace(connectBody)),
		},
		"getConnectSession": {
			200: sent("GET", connect, ""),
			400: sent("GET", "/connect-sessions/x", ""),
		},
		"completeConnectSession": {409: sent("POST", connect+"/complete", `{"code":"0tYk3sQmWc9Lr5Vb7Nh2"}`)},
	}
}

// Every status that the contract has for a route is brought about, but for a
// completion, which needs a browser: see the tests of connect sessions.
func TestEveryRouteAnswersWithEveryStatus(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	linked(s, "42", "plain")
	if _, err := s.accounts.EnsureExternal(t.Context(), "43", ""); err != nil {
		t.Fatal(err)
	}
	p := s.program(account.Scopes()...)
	usual, all := statusWays(t, p), examples(s)
	ofRoute := particular(p)
	for _, item := range contractOf(t).Paths.Map() {
		for _, o := range item.Operations() {
			ways := maps.Clone(usual)
			maps.Copy(ways, ofRoute[o.OperationID])
			for text := range o.Responses.Map() {
				status, err := strconv.Atoi(text)
				if err != nil {
					t.Fatal(err)
				}
				way := ways[status]
				if o.OperationID == "completeConnectSession" && status == http.StatusOK {
					continue
				}
				if way == nil {
					t.Errorf("%s: nothing brings %d about", o.OperationID, status)
				} else if got := way(all[o.OperationID]); got.StatusCode != status {
					t.Errorf("%s: %s answers %d, not %d: %s", o.OperationID, got.request, got.StatusCode, status, got.body)
				}
			}
		}
	}
}
