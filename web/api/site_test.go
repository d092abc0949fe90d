package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/limit"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
	"github.com/garminlink/garminlink/internal/seal"
	"github.com/garminlink/garminlink/web"
)

// site is the whole program but main, on a database and a Garmin of its own.
type site struct {
	t        testing.TB
	db       *pgtest.DB
	garmin   *garmintest.Server
	keys     *seal.Keyring
	accounts *account.Service
	links    *link.Service
	api      *API
	changes  *postgres.Changes // heard of after hear
	url      string
	log      safeBuffer
}

// newSite starts a site without users. The configuration may be changed before
// it starts.
func newSite(t testing.TB, change ...func(*Config)) *site {
	t.Helper()
	s := &site{t: t, db: pgtest.New(t), garmin: new(garmintest.Server), keys: newKeys(t)}
	t.Cleanup(s.garmin.Close)
	for _, more := range []string{"second", "third"} {
		s.garmin.Add(garmintest.Account{Email: more + "@garmin.example", Password: garmintest.DemoPassword})
	}
	s.start(change...)
	return s
}

func (s *site) start(change ...func(*Config)) {
	s.t.Helper()
	server := httptest.NewUnstartedServer(nil)
	s.url = "http://" + server.Listener.Addr().String()
	s.accounts = account.New(postgres.NewAccounts(s.db.DB), account.Cost{MemoryKiB: 64, Passes: 1})
	s.links = s.newLinks()
	s.changes = postgres.NewChanges(s.db.Pool, slog.New(slog.DiscardHandler))
	server.Config.Handler = s.pages(change...)
	server.Start()
	s.t.Cleanup(server.Close)
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

func (s *site) newLinks() *link.Service {
	s.t.Helper()
	store := postgres.NewLinks(s.db.DB)
	vault, err := link.OpenVault(s.t.Context(), store, s.keys)
	if err != nil {
		s.t.Fatal(err)
	}
	options := garmin.Options{Transport: s.garmin.Transport(), Flows: []garmin.Flow{garmin.IOS}}
	links := link.New(store, options, link.DefaultBudget, vault, postgres.NewLimits(s.db.Gorm), slog.New(slog.DiscardHandler))
	s.t.Cleanup(links.Close)
	if links.ReturnURLs, err = link.ParseReturnURLs("https://app.example.com"); err != nil {
		s.t.Fatal(err)
	}
	return links
}

func (s *site) pages(change ...func(*Config)) http.Handler {
	s.t.Helper()
	log := slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	limits := postgres.NewLimits(s.db.Gorm)
	base, err := url.Parse(s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	config := Config{
		Links: s.links, Accounts: s.accounts, Changes: s.changes, BaseURL: base,
		Rates: limit.NewBlocks(limits), Rate: limit.Rate{Burst: 6000, Per: time.Minute}, Log: log,
	}
	for _, c := range change {
		c(&config)
	}
	if s.api, err = New(config); err != nil {
		s.t.Fatal(err)
	}
	pages, err := web.New(web.Config{
		Links: s.links, Accounts: s.accounts, Limits: limits, API: s.api, Changes: s.changes, DB: s.db.SQL, BaseURL: base, Log: log,
		SignInPage: func(region string) (link.SignInPage, error) { return link.SignInPageOf(region, s.url) },
		Ready:      func(context.Context) error { return nil },
		Observe:    func(string, string, int, time.Duration) {},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return pages
}

// hear has changes heard of until the test ends.
func (s *site) hear() {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var ears sync.WaitGroup
	ears.Go(func() { s.changes.Run(ctx) })
	s.t.Cleanup(func() { cancel(); ears.Wait() })
}

// program has a token.
type program struct {
	*site
	secret account.Secret
}

// program makes one whose token has these scopes.
func (s *site) program(scopes ...account.Scope) program {
	s.t.Helper()
	_, secret, err := s.accounts.CreateToken(s.t.Context(), account.NewToken{ID: uuid.New(), Name: "nightly sync", Scopes: scopes})
	if err != nil {
		s.t.Fatal(err)
	}
	return program{s, secret}
}

// answer is what came back, held to the contract.
type answer struct {
	*http.Response
	t       testing.TB
	request string
	body    []byte
}

func (p program) get(path string) *answer { p.t.Helper(); return p.do(http.MethodGet, path, "") }

func (p program) post(path, body string) *answer {
	p.t.Helper()
	return p.do(http.MethodPost, path, body)
}

// do sends a request to a path below /api/v1. Headers are names and values; a
// value of "" takes one away.
func (p program) do(method, path, body string, headers ...string) *answer {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.url+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.secret.Reveal())
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		if r.Header.Set(headers[i], headers[i+1]); headers[i+1] == "" {
			r.Header.Del(headers[i])
		}
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	contractOf(p.t).check(p.t, r, []byte(body), response, text)
	return &answer{response, p.t, method + " " + path, text}
}

func (a *answer) want(status int) *answer {
	a.t.Helper()
	if a.StatusCode != status {
		a.t.Fatalf("%s: %d, want %d\n%s", a.request, a.StatusCode, status, a.body)
	}
	return a
}

func (a *answer) wantCode(code Code) Problem {
	a.t.Helper()
	var p Problem
	a.read(&p)
	if p.Code != code {
		a.t.Fatalf("%s: %d %s, want %s\n%s", a.request, a.StatusCode, p.Code, code, a.body)
	}
	return p
}

func (a *answer) read(into any) {
	a.t.Helper()
	if err := json.Unmarshal(a.body, into); err != nil {
		a.t.Fatalf("%s: %v\n%s", a.request, err, a.body)
	}
}

// elsewhere is a program that signs in to Garmin by itself.
func (s *site) elsewhere() *garmin.Client {
	return garmin.New(garmin.Options{
		Transport: s.garmin.Transport(), Flows: []garmin.Flow{garmin.Widget.WithPause(garmin.Pause{})},
	})
}

// session is one of an account that asks for no code, as garth dumps it.
func (s *site) session(account string) string {
	s.t.Helper()
	ticket, _, err := s.elsewhere().Login(s.t.Context(), garmin.RegionGlobal, account+"@garmin.example", garmintest.DemoPassword)
	if err != nil {
		s.t.Fatal(err)
	}
	session, err := s.elsewhere().Exchange(s.t.Context(), ticket)
	return s.dumps(session, err)
}

// renewed is a session as a program refreshes it by itself.
func (s *site) renewed(text string) string {
	s.t.Helper()
	session, _, err := garmin.ParseAny(text)
	if err != nil {
		s.t.Fatal(err)
	}
	next, err := s.elsewhere().Refresh(s.t.Context(), session)
	return s.dumps(next, err)
}

func (s *site) dumps(session *garmin.Session, err error) string {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	return session.Dumps()
}

// quoted is s as JSON.
func quoted(s string) string {
	text, _ := json.Marshal(s) // cannot fail
	return string(text)
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
