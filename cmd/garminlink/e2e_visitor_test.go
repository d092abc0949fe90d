package main

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// visitor is a browser without a screen: it keeps cookies, says where its
// requests come from, and follows no redirect by itself.
type visitor struct {
	t       testing.TB
	s       *stack
	id      uuid.UUID // of the user; zero for a stranger
	email   string
	client  *http.Client
	headers http.Header // of every request
}

func (s *stack) stranger() *visitor {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	client := *s.door.Client()
	client.Jar = jar
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &visitor{t: s.t, s: s, client: &client, headers: http.Header{"Origin": {s.door.URL}, "Sec-Fetch-Site": {"same-origin"}}}
}

// runner is a new user of ours who has signed in.
func (s *stack) runner(name string) *visitor {
	s.t.Helper()
	v := s.stranger()
	v.email = name + "@example.com"
	v.id = s.newUser(v.email)
	v.signIn()
	return v
}

func (v *visitor) signIn() {
	v.t.Helper()
	v.post("/signin", "email", v.email, "password", ourPassword).wantRedirect("/link")
}

// with is the same browser, with one more header in each request.
func (v *visitor) with(key, value string) *visitor {
	w := *v
	w.headers = v.headers.Clone()
	w.headers.Set(key, value)
	return &w
}

// at is the same browser, whose requests go to one replica.
func (v *visitor) at(p *program) *visitor { return v.with(replicaHeader, p.addr) }

// htmx is the same browser, whose requests htmx makes on the page at path.
func (v *visitor) htmx(path string) *visitor {
	return v.with("HX-Request", "true").with("HX-Current-URL", v.s.door.URL+path)
}

func (v *visitor) get(path string) *page {
	v.t.Helper()
	return v.send(http.MethodGet, path, nil)
}

// post sends a form: names and values in turn.
func (v *visitor) post(path string, fields ...string) *page {
	v.t.Helper()
	return v.send(http.MethodPost, path, formOf(fields))
}

func formOf(fields []string) url.Values {
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return form
}

func (v *visitor) request(ctx context.Context, method, path string, form url.Values) *http.Request {
	v.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	request, err := http.NewRequestWithContext(ctx, method, v.s.door.URL+path, body)
	if err != nil {
		v.t.Fatal(err)
	}
	request.Header = v.headers.Clone()
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return request
}

// submitAndLeave sends a form whose answer nobody awaits: leave closes the
// connection.
func (v *visitor) submitAndLeave(path string, fields ...string) (leave func()) {
	v.t.Helper()
	ctx, cancel := context.WithCancel(v.t.Context())
	request := v.request(ctx, http.MethodPost, path, formOf(fields))
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		response, err := v.client.Do(request)
		if err == nil {
			_ = response.Body.Close()
			v.t.Error("the answer came before the browser left")
		}
	}()
	return func() { cancel(); <-gone }
}

func (v *visitor) send(method, path string, form url.Values) *page {
	v.t.Helper()
	response, err := v.client.Do(v.request(v.t.Context(), method, path, form))
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	return readPage(v.t, response)
}

// follow goes where an answer to a form leads.
func (v *visitor) follow(p *page) *page {
	v.t.Helper()
	if p.status != http.StatusSeeOther {
		v.t.Fatalf("%s answers %d, want 303:\n%s", p.path, p.status, p.text())
	}
	return v.get(p.header.Get("Location")).want(http.StatusOK)
}

// link sends the form with the password of a demo account of Garmin's.
func (v *visitor) link(account string) *page {
	v.t.Helper()
	region := garmintest.Global
	if account == "china" {
		region = garmintest.China
	}
	return v.linkWith(account+"@garmin.example", garmintest.DemoPassword, region)
}

func (v *visitor) linkWith(email, password, region string) *page {
	v.t.Helper()
	return v.post("/link", "email", email, "password", password, "region", region)
}

// challenge goes as far as the form for the code.
func (v *visitor) challenge(account string) *page {
	v.t.Helper()
	return v.follow(v.link(account).wantRedirect("/link/mfa")).wantState("mfa_pending")
}

// code sends a code for the challenge of the form.
func (v *visitor) code(form *page, code string) *page {
	v.t.Helper()
	return v.post("/link/mfa", "challenge", form.value("challenge"), "code", code)
}

// cookie is the value of our cookie.
func (v *visitor) cookie() string {
	v.t.Helper()
	u, err := url.Parse(v.s.door.URL)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, c := range v.client.Jar.Cookies(u) {
		if c.Name == ourCookie {
			return c.Value
		}
	}
	v.t.Fatal("there is no cookie of ours")
	return ""
}
