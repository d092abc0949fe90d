package garmintest_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// person goes through the sign-in pages with a browser that knows nothing of Garmin: he fills in the form that he
// sees and sends it to where it points.
type person struct {
	t  *testing.T
	hc *http.Client
	screen
}

// screen is what he sees.
type screen struct {
	address *url.URL
	status  int
	title   string
	action  string
	fields  url.Values
	raw     string
}

func newPerson(t *testing.T) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DialContext: dialHere}
	t.Cleanup(transport.CloseIdleConnections)
	return &person{t: t, hc: &http.Client{Transport: transport, Jar: jar}}
}

// dialHere fails where a page would lead to Garmin itself.
func dialHere(ctx context.Context, proto, addr string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("the browser is led to %s", addr)
	}
	var d net.Dialer
	return d.DialContext(ctx, proto, addr)
}

func (p *person) open(address string) { p.send(http.MethodGet, address, nil) }

// submit sends the form with what is typed into it, in pairs of name and value.
func (p *person) submit(typed ...string) {
	p.t.Helper()
	target, err := p.address.Parse(p.action)
	if err != nil {
		p.t.Fatal(err)
	}
	for i := 0; i+1 < len(typed); i += 2 {
		p.fields.Set(typed[i], typed[i+1])
	}
	p.send(http.MethodPost, target.String(), p.fields)
}

func (p *person) send(method, address string, form url.Values) {
	p.t.Helper()
	resp := p.do(method, address, form)
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	p.screen = screen{address: resp.Request.URL, status: resp.StatusCode, fields: url.Values{}, raw: string(raw)}
	p.read()
}

func (p *person) do(method, address string, form url.Values) *http.Response {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("User-Agent", "Mozilla/5.0 (Linux; Android 14; Mobile)")
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := p.hc.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp
}

func (p *person) read() {
	doc, err := html.Parse(strings.NewReader(p.raw))
	if err != nil {
		p.t.Fatal(err)
	}
	for n := range doc.Descendants() {
		attrs := map[string]string{}
		for _, a := range n.Attr {
			attrs[a.Key] = a.Val
		}
		switch n.Data {
		case "title":
			p.title = n.FirstChild.Data
		case "form":
			p.action = attrs["action"]
		case "input":
			if attrs["type"] != "checkbox" {
				p.fields.Set(attrs["name"], attrs["value"])
			}
		}
	}
}

var (
	shownAddress = regexp.MustCompile(`<code id="address">([^<]+)</code>`)
	postedTicket = regexp.MustCompile(`var response_url\s+= "[^"]*\?ticket=(ST-[^"]+)"`)
)

// brought is what garminlink gets: from a frame the ticket that the script posts, else the address that is shown.
func (p *person) brought(frame bool) string {
	p.t.Helper()
	find := shownAddress
	if frame {
		find = postedTicket
		if !strings.Contains(p.raw, `var parent_url                   	  = "http:\/\/127.0.0.1:8080";`) {
			p.t.Errorf("the message goes elsewhere: %s", p.raw)
		}
	}
	m := find.FindStringSubmatch(p.raw)
	if p.title != "Success" || m == nil {
		p.t.Fatalf("the last page is %d %q: %s", p.status, p.title, p.raw)
	}
	return html.UnescapeString(m[1])
}
