package api

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/static"
)

func TestOtherPathsAndMethodsAreProblemsToo(t *testing.T) {
	t.Parallel()
	p := newSite(t).program(account.Scopes()...)
	for _, path := range []string{"", "/", "/nothing", "/links/ext:42/nothing", "/../v2/links", "/links/ext:42/", "/events/1"} {
		p.get(path).want(http.StatusNotFound).wantCode(CodeNotFound)
	}
	for _, c := range []struct{ method, path, allow string }{
		{http.MethodPost, "/links", "GET"}, {http.MethodPatch, "/links/ext:42", "DELETE"}, {http.MethodGet, "/reports", "POST"},
		{http.MethodPost, "/links/ext:42/session", "PUT"}, {"FROBNICATE", "/events", "GET"},
	} {
		a := p.do(c.method, c.path, "").want(http.StatusMethodNotAllowed)
		a.wantCode(CodeMethodNotAllowed)
		if got := a.Header.Get("Allow"); !strings.Contains(got, c.allow) {
			t.Errorf("%s %s: Allow is %q", c.method, c.path, got)
		}
	}
}

func TestHeadIsGetWithoutItsBody(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	secret := s.program(account.LinksRead).secret.Reveal()
	for path, status := range map[string]int{"/api/v1/events": 200, "/api/v1/nothing": 404, "/api/openapi.yaml": 200} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodHead, s.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+secret)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := response.Body.Close(); err != nil || response.StatusCode != status {
			t.Errorf("HEAD %s: %d, %v", path, response.StatusCode, err)
		}
	}
}

// A page of another site may make a browser send this, but it has no token to
// send, and does not get the answer.
func TestOtherSitesAreGivenNoLeave(t *testing.T) {
	t.Parallel()
	p := newSite(t).program(account.LinksRead)
	headers := []string{"Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site"}
	for _, a := range []*answer{
		p.do(http.MethodGet, "/events", "", headers...).want(http.StatusOK),
		p.do(http.MethodPost, "/reports", "{}", append(headers, "Authorization", "")...).want(http.StatusUnauthorized),
		p.do(http.MethodOptions, "/events", "", append(headers, "Access-Control-Request-Method", "GET")...).want(http.StatusNoContent),
	} {
		for name := range a.Header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s: %s is set", a.request, name)
			}
		}
	}
}

func TestAnswersAreNotKept(t *testing.T) {
	t.Parallel()
	a := newSite(t).program(account.LinksRead).get("/events").want(http.StatusOK)
	if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the headers are %v", a.Header)
	}
}

// The request log names the route, and no token or user.
func TestRequestsAreLoggedByRoute(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.program(account.LinksRead)
	id := p.get("/links/ext:somebody").want(http.StatusNotFound).Header.Get("X-Request-Id")
	log := s.log.String()
	for _, want := range []string{
		"msg=request request_id=" + id + " method=GET route=/api/v1/links/:user status=404", "msg=refused request_id=" + id, "token=",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("no %q in\n%s", want, log)
		}
	}
	for _, secret := range []string{p.secret.Reveal(), "somebody"} {
		if strings.Contains(log, secret) {
			t.Errorf("%q stands in the log", secret)
		}
	}
}

func TestPanicsAreProblems(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.api.echo.GET("/api/v1/panic", func(echo.Context) error { panic("out of paper") })
	s.program(account.LinksRead).get("/panic").want(http.StatusInternalServerError).wantCode(CodeInternalError)
	if !strings.Contains(s.log.String(), "out of paper") {
		t.Error("the log does not tell why")
	}
}

// A body that ends early is the program's fault.
func TestBodiesCutOffAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.program(account.SessionsCheckout)
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "POST /api/v1/reports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"+
		"Content-Length: 100\r\n\r\n{\"reports\":[", p.secret.Reveal())
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusBadRequest {
		t.Errorf("%d, %v", response.StatusCode, err)
	}
}

func TestTheReferenceIsServed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for path, want := range map[string]string{"/api": "text/html; charset=UTF-8", "/api/openapi.yaml": "application/yaml"} {
		recorded := httptest.NewRecorder()
		s.api.ServeHTTP(recorded, httptest.NewRequest(http.MethodGet, path, nil))
		if got := recorded.Header().Get("Content-Type"); recorded.Code != http.StatusOK || got != want {
			t.Errorf("GET %s: %d, %s", path, recorded.Code, got)
		}
		if page := recorded.Body.String(); path == "/api" && (!strings.Contains(page, `href="`+static.Path("app.css")+`"`) || strings.Contains(page, "<script")) {
			t.Error("the page has no styles, or scripts")
		}
	}
}
