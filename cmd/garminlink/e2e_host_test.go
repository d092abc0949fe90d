package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/postgres"
)

// hostApp is an application with users of its own, as small as it can be. It
// sends one over, and has him back at /back.
type hostApp struct {
	*httptest.Server
	t      testing.TB
	s      *stack
	secret account.Secret // its service token

	mu      sync.Mutex
	state   string // of the user who is signed in there
	session connectSession
	codes   []string // that came back
}

// connectSession is what the host reads of the API's answers.
type connectSession struct{ ID, URL, Status, User, Code string }

func newHostApp(t testing.TB) *hostApp {
	t.Helper()
	h := &hostApp{t: t}
	h.Server = httptest.NewTLSServer(http.HandlerFunc(h.back))
	t.Cleanup(h.Close)
	return h
}

// register gives it a token of the stack's.
func (h *hostApp) register(s *stack) {
	h.t.Helper()
	_, secret, err := account.New(postgres.NewAccounts(s.db.DB), passwordCost).CreateToken(h.t.Context(),
		account.NewToken{Name: "Pace", Scopes: []account.Scope{account.ConnectCreate, account.LinksRead}})
	if err != nil {
		h.t.Fatal(err)
	}
	h.s, h.secret = s, secret
}

// ask calls the API.
func (h *hostApp) ask(path string, body any) (int, connectSession) {
	text, err := json.Marshal(body)
	if err != nil {
		h.t.Error(err)
	}
	request, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.s.door.URL+"/api/v1"+path, bytes.NewReader(text))
	if err != nil {
		h.t.Error(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+h.secret.Reveal())
	response, err := h.s.door.Client().Do(request)
	if err != nil {
		h.t.Error(err)
		return 0, connectSession{}
	}
	defer response.Body.Close()
	var answer connectSession
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		h.t.Error(err)
	}
	return response.StatusCode, answer
}

// send makes a connect session for a user of its own.
func (h *hostApp) send(user, purpose string) connectSession {
	h.t.Helper()
	state := rand.Text()
	status, session := h.ask("/connect-sessions", map[string]string{
		"user": "ext:" + user, "return_url": h.URL + "/back", "state": state, "purpose": purpose,
	})
	if status != http.StatusCreated {
		h.t.Fatalf("the API answers %d, %+v", status, session)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state, h.session = state, session
	return session
}

// back is where its user comes back. It completes nothing for one whom it has
// not sent.
func (h *hostApp) back(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	said, query := "not whom we sent", r.URL.Query()
	switch {
	case r.URL.Path != "/back" || query.Get("state") != h.state:
	case query.Get("error") != "":
		said = "error: " + query.Get("error")
	default:
		h.codes = append(h.codes, query.Get("code"))
		status, answer := h.ask("/connect-sessions/"+h.session.ID+"/complete", map[string]string{"code": query.Get("code")})
		said = fmt.Sprintf("%d %s%s", status, answer.Status, answer.Code)
	}
	w.Header().Set("Content-Type", "text/html")
	fmt.Fprintf(w, `<!DOCTYPE html><html lang="en"><title>Pace</title><link rel="icon" href="data:,"><main><h1>Back at Pace</h1><p>%s</p></main>`, said)
}

// wantUnlogged looks for the secrets of visits in what programs print.
func (h *hostApp) wantUnlogged(cookies ...string) {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	f := finder{}
	f.add("an address", h.session.URL[len(h.s.door.URL+"/connect/"):])
	f.add("a code", h.codes...)
	f.add("a state", h.state)
	f.add("a cookie of a visit", cookies...)
	for _, p := range h.s.programs {
		for _, found := range f.in("the log", p.log.String()) {
			h.t.Error(found)
		}
	}
}
