package web_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/notify"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
	"github.com/garminlink/garminlink/internal/seal"
	"github.com/garminlink/garminlink/web"
)

const (
	email    = "runner@example.com"
	password = "correct horse battery"
)

// site is the whole program but main, on a database and a Garmin of its own.
type site struct {
	t        testing.TB
	db       *pgtest.DB
	garmin   *garmintest.Server
	keys     *seal.Keyring
	accounts *account.Service
	changes  *postgres.Changes // heard of after hear
	web      *web.Server
	url      string
	log      *safeBuffer
}

// newSite starts a site with one user. The configuration may be changed before
// it starts.
func newSite(t testing.TB, change ...func(*web.Config)) *site {
	t.Helper()
	s := &site{t: t, db: pgtest.New(t), garmin: new(garmintest.Server), keys: newKeys(t), log: new(safeBuffer)}
	t.Cleanup(s.garmin.Close)
	server := httptest.NewUnstartedServer(nil)
	s.url = "http://" + server.Listener.Addr().String()
	s.changes = postgres.NewChanges(s.db.Pool, slog.New(slog.DiscardHandler))
	s.web = s.server(change...)
	server.Config.Handler = s.web
	server.Start()
	t.Cleanup(server.Close)
	if _, err := s.accounts.Create(context.Background(), email, password, account.RoleUser); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) server(change ...func(*web.Config)) *web.Server {
	s.t.Helper()
	base, err := url.Parse(s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	s.accounts = account.New(postgres.NewAccounts(s.db.DB), account.Cost{MemoryKiB: 64, Passes: 1})
	config := web.Config{
		Links: s.links(postgres.NewLinks(s.db.DB)), Accounts: s.accounts, Limits: postgres.NewLimits(s.db.Gorm),
		Changes: s.changes, OptOuts: s.optOuts(), Webhooks: s.webhooks(postgres.NewWebhooks(s.db.DB)), Jobs: s.control(), DB: s.db.SQL,
		BaseURL: base, SignupOpen: true, Log: log,
		SignInPage: func(region string) (link.SignInPage, error) { return link.SignInPageOf(region, s.url) },
		Ready:      func(context.Context) error { return nil },
		Observe:    func(string, string, int, time.Duration) {},
	}
	for _, c := range change {
		c(&config)
	}
	server, err := web.New(config)
	if err != nil {
		s.t.Fatal(err)
	}
	return server
}

func newKeys(t testing.TB) *seal.Keyring {
	t.Helper()
	text, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func (s *site) optOuts() notify.OptOuts { return notify.OptOuts{Vault: s.vault()} }

func (s *site) vault() *link.Vault {
	s.t.Helper()
	vault, err := link.OpenVault(context.Background(), postgres.NewLinks(s.db.DB), s.keys)
	if err != nil {
		s.t.Fatal(err)
	}
	return vault
}

func (s *site) links(store link.Store) *link.Service {
	s.t.Helper()
	vault, err := link.OpenVault(context.Background(), store, s.keys)
	if err != nil {
		s.t.Fatal(err)
	}
	options := garmin.Options{Transport: s.garmin.Transport(), Flows: []garmin.Flow{garmin.IOS}}
	links := link.New(store, options, link.DefaultBudget, vault, postgres.NewLimits(s.db.Gorm), slog.New(slog.DiscardHandler))
	s.t.Cleanup(links.Close)
	return links
}

// browser is one browser: it keeps cookies and follows no redirect.
type browser struct {
	t      testing.TB
	url    string
	header http.Header // sent with every request
	client *http.Client
}

func (s *site) browser() *browser {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	client := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	s.t.Cleanup(client.CloseIdleConnections)
	return &browser{t: s.t, url: s.url, header: http.Header{}, client: client}
}

// runner is a browser in which the site's user is signed in.
func (s *site) runner() *browser {
	s.t.Helper()
	b := s.browser()
	b.post("/signin", "email", email, "password", password).want(http.StatusSeeOther)
	return b
}

func (b *browser) get(path string) *page { b.t.Helper(); return b.do(http.MethodGet, path, nil) }

// post sends fields, given as names and values.
func (b *browser) post(path string, fields ...string) *page {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.do(http.MethodPost, path, strings.NewReader(form.Encode()))
}

func (b *browser) do(method, path string, body io.Reader) *page {
	b.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, b.url+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, values := range b.header {
		r.Header[name] = values
	}
	response, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return &page{t: b.t, request: method + " " + path, Response: response, source: string(text)}
}

// link posts a Garmin account to be linked.
func (b *browser) link(account string) *page {
	b.t.Helper()
	return b.post("/link", "email", account+"@garmin.example", "password", garmintest.DemoPassword, "region", "garmin.com")
}

// page is an answer.
type page struct {
	*http.Response
	t       testing.TB
	request string
	source  string
}

func (p *page) want(status int) *page {
	p.t.Helper()
	if p.StatusCode != status {
		p.t.Fatalf("%s: %d, want %d\n%s", p.request, p.StatusCode, status, p.text())
	}
	return p
}

func (p *page) wantRedirect(location string) *page {
	p.t.Helper()
	if got := p.Header.Get("Location"); p.StatusCode != http.StatusSeeOther || got != location {
		p.t.Fatalf("%s: %d to %q, want 303 to %q", p.request, p.StatusCode, got, location)
	}
	return p
}

// wantText looks for words as a reader sees them.
func (p *page) wantText(words ...string) *page {
	p.t.Helper()
	text := p.text()
	for _, w := range words {
		if !strings.Contains(text, w) {
			p.t.Errorf("%s: no %q in\n%s", p.request, w, text)
		}
	}
	return p
}

func (p *page) tree() *html.Node {
	p.t.Helper()
	tree, err := html.Parse(strings.NewReader(p.source))
	if err != nil {
		p.t.Fatal(err)
	}
	return tree
}

func (p *page) text() string {
	var words []string
	for n := range p.tree().Descendants() {
		if n.Type == html.TextNode {
			words = append(words, strings.Fields(n.Data)...)
		}
	}
	return strings.Join(words, " ")
}

// value is what the field of that name holds, in the form with that action.
func (p *page) value(action, name string) string {
	p.t.Helper()
	for form := range p.tree().Descendants() {
		if form.Data != "form" || attr(form, "action") != action {
			continue
		}
		for n := range form.Descendants() {
			if n.Data == "input" && attr(n, "name") == name && (attr(n, "type") != "radio" || has(n, "checked")) {
				return attr(n, "value")
			}
		}
	}
	p.t.Fatalf("%s: no field %s of a form to %s in\n%s", p.request, name, action, p.source)
	return ""
}

// element is the first with that id, or nil.
func (p *page) element(id string) *html.Node {
	for n := range p.tree().Descendants() {
		if n.Type == html.ElementNode && attr(n, "id") == id {
			return n
		}
	}
	return nil
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, key string) bool {
	for _, a := range n.Attr {
		if a.Key == key {
			return true
		}
	}
	return false
}

// safeBuffer collects a log that many goroutines write.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
