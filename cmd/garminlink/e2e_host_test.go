package main

import (
	"bytes"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// host is the example of a host application, behind an address that is known
// before it runs, and the installation that it uses.
type host struct {
	*httptest.Server
	*stack
	inside *url.URL
	told   chan struct{} // one for each event that has arrived
}

func newHost(t *testing.T) *host {
	t.Helper()
	h := &host{told: make(chan struct{}, 100)}
	h.Server = httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(h.inside) },
		ModifyResponse: func(r *http.Response) error {
			if r.Request.URL.Path == "/garmin/events" && r.StatusCode == http.StatusNoContent {
				h.told <- struct{}{}
			}
			return nil
		},
	})
	t.Cleanup(h.Close)
	h.stack = newStack(t, "RETURN_URLS="+h.URL+"/garmin/back", "WEBHOOK_ALLOW=127.0.0.0/8")
	h.replica()
	added := garminlink(t, "", h.settings, "webhook", "add", h.URL+"/garmin/events", "--events", "all")
	if added.code != exitOK {
		t.Fatal(added.stderr)
	}
	h.launch([]string{"worker"})
	_, secret, _ := strings.Cut(added.stdout, "Secret: ")
	h.start(build(t, "host-app"), "GARMINLINK_WEBHOOK_SECRET="+strings.TrimSpace(secret))
	return h
}

// start runs the program and learns where it listens.
func (h *host) start(program string, settings ...string) {
	h.t.Helper()
	at := make(chan string, 1)
	cmd := exec.Command(program)
	cmd.Env = append(append(h.exampleEnv(h.token("links:read,connect:create")), "BASE_URL="+h.URL, "ADDR=127.0.0.1:0"), settings...)
	cmd.Stderr = &served{at: at}
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	select {
	case addr := <-at:
		h.inside = &url.URL{Scheme: "http", Host: addr}
	case <-time.After(patience):
		h.t.Fatal("the host application does not start")
	}
}

// served finds where a program says that it listens.
type served struct {
	at   chan<- string
	once sync.Once
	text bytes.Buffer
}

func (s *served) Write(b []byte) (int, error) {
	s.text.Write(b)
	_, rest, _ := strings.Cut(s.text.String(), " is served at ")
	if addr, _, whole := strings.Cut(rest, "\n"); whole {
		s.once.Do(func() { s.at <- addr })
	}
	return len(b), nil
}

// awaitEvent waits for one more event to reach the host application.
func (h *host) awaitEvent() {
	h.t.Helper()
	select {
	case <-h.told:
	case <-time.After(patience):
		h.t.Fatal("no event arrives")
	}
}

// guest is a browser of somebody who uses the host application. It follows
// redirects wherever they lead, and submits the forms that it is shown.
type guest struct {
	t      testing.TB
	client *http.Client
	at     *url.URL
	page   *page
}

// visit signs a new browser in at the host application.
func (h *host) visit(user string) *guest {
	h.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	g := &guest{t: h.t, client: &http.Client{Jar: jar, Transport: h.door.Client().Transport}}
	g.open(h.URL + "/")
	g.submit("user", user)
	return g
}

func (g *guest) open(address string) {
	g.t.Helper()
	request, err := http.NewRequestWithContext(g.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	g.send(request)
}

func (g *guest) send(request *http.Request) {
	g.t.Helper()
	response, err := g.client.Do(request)
	if err != nil {
		g.t.Fatal(err)
	}
	defer response.Body.Close()
	g.at, g.page = response.Request.URL, readPage(g.t, response)
}

// submit sends the form that has the first of these fields, names and values in
// turn, with what it holds besides.
func (g *guest) submit(fields ...string) {
	g.t.Helper()
	form, values := g.form(fields[0])
	for i := 0; i < len(fields); i += 2 {
		values.Set(fields[i], fields[i+1])
	}
	action, _ := attribute(form, "action")
	target, err := g.at.Parse(action)
	if err != nil {
		g.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(g.t.Context(), http.MethodPost, target.String(), strings.NewReader(values.Encode()))
	if err != nil {
		g.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", g.at.Scheme+"://"+g.at.Host)
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	g.send(request)
}

// form finds the form with a field, and what is in its hidden ones.
func (g *guest) form(field string) (*html.Node, url.Values) {
	g.t.Helper()
	for _, form := range g.page.find(tag("form")) {
		values, found := url.Values{}, false
		for n := range form.Descendants() {
			name, _ := attribute(n, "name")
			found = found || name == field
			if kind, _ := attribute(n, "type"); kind == "hidden" {
				value, _ := attribute(n, "value")
				values.Set(name, value)
			}
		}
		if found {
			return form, values
		}
	}
	g.t.Fatalf("%s has no form with %s:\n%s", g.at, field, g.page.source)
	return nil, nil
}

// want checks where the browser is, and what it is told of the link there.
func (g *guest) want(place, link string) {
	g.t.Helper()
	if at := g.at.Scheme + "://" + g.at.Host + g.at.Path; at != place {
		g.t.Fatalf("the browser is at %s, want %s:\n%s", at, place, g.page.text())
	}
	if got := g.page.saying(with("id", "link")); !strings.HasPrefix(got, "Garmin: "+link) {
		g.t.Errorf("it is told %q, want %q", got, link)
	}
}

func TestExampleHostApplicationLinksItsUsers(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	g := h.visit("42")
	g.want(h.URL+"/", "not_linked")
	g.goOver("link")
	g.submit("email", "plain@garmin.example", "password", garmintest.DemoPassword, "region", garmintest.Global)
	g.want(h.URL+"/", "active (Pia Plain)")
	h.wantState(h.external("42"), "active")
	h.awaitEvent()
	g.open(h.URL + "/")
	g.page.wantText("link.active")

	h.garmin.RevokeAccount("plain@garmin.example")
	h.checkSoon("42")
	h.awaitEvent() // of what the worker has found out
	g.open(h.URL + "/")
	g.want(h.URL+"/", "reauth_needed")
	g.page.wantText("link.reauth_needed", "Reconnect")
	g.goOver("relink")
	g.submit("email", "plain@garmin.example", "password", garmintest.DemoPassword, "region", garmintest.Global)
	g.want(h.URL+"/", "active (Pia Plain)")
	h.awaitEvent()
	g.open(h.URL + "/")
	g.page.wantText("link.repaired")
}

// checkSoon makes a link due. The clock stays as it is: messages with another
// time than the host application's are refused.
func (h *host) checkSoon(id string) {
	h.t.Helper()
	if _, err := h.db.Pool.Exec(h.t.Context(), "UPDATE garmin_authentication_states SET next_check_at = app_now() WHERE user_id = $1", h.external(id)); err != nil {
		h.t.Fatal(err)
	}
}

// goOver goes to garminlink, as far as the form for Garmin's password.
func (g *guest) goOver(purpose string) {
	g.t.Helper()
	g.submit("purpose", purpose)
	g.submit("browser", g.page.value("browser"))
}

// Somebody has sent a victim the address that is his own: the victim links, and
// the host application refuses what he brings back.
func TestExampleHostApplicationRefusesWhatItDidNotStart(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	attacker, victim := h.visit("attacker"), h.visit("victim")
	attacker.submit("purpose", "link")
	victim.open(attacker.at.String())
	victim.submit("browser", victim.page.value("browser"))
	victim.submit("email", "plain@garmin.example", "password", garmintest.DemoPassword, "region", garmintest.Global)
	if victim.page.status != http.StatusForbidden {
		t.Errorf("the victim is at %s:\n%s", victim.at, victim.page.text())
	}
	attacker.open(h.URL + "/")
	attacker.want(h.URL+"/", "not_linked")
	h.wantState(h.external("attacker"), "not_linked")
}

func TestExampleHostApplicationBelievesNoUnsignedEvent(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	answer, err := http.Post(h.URL+"/garmin/events", "application/json", strings.NewReader(`{"type":"link.active","data":{"external_id":"42"}}`))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("it answers %s", answer.Status)
	}
}
