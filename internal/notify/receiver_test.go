package notify_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
)

// receiver is a program that is told of events. It verifies what it gets with
// the secrets that it was given.
type receiver struct {
	*httptest.Server
	t       *testing.T
	secrets []string

	mu     sync.Mutex
	answer http.HandlerFunc // nil: 204
	got    []message
}

// message is one that came.
type message struct {
	id     uuid.UUID
	header http.Header
	body   string
	event  event
	taken  bool // it was answered with success
}

type event struct {
	ID        string
	Type      string
	CreatedAt string `json:"created_at"`
	Data      map[string]any
}

func (m message) user() string {
	user, _ := m.event.Data["user"].(string)
	return user
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{t: t}
	r.Server = httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) serve(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	m := message{header: request.Header, body: string(body)}
	if err == nil {
		m.id, err = uuid.Parse(request.Header.Get("webhook-id"))
	}
	if err == nil {
		err = json.Unmarshal(body, &m.event)
	}
	if err != nil || request.Method != http.MethodPost || request.Header.Get("Content-Type") != "application/json" {
		r.t.Errorf("not a message: %s %v %q: %v", request.Method, request.Header, body, err)
	}
	r.mu.Lock()
	if len(r.secrets) > 0 && !slices.ContainsFunc(r.secrets, func(s string) bool { return verifies(s, request.Header, body) }) {
		r.t.Errorf("no secret verifies %v", request.Header)
	}
	answer := r.answer
	r.got = append(r.got, m)
	place := len(r.got) - 1
	r.mu.Unlock()
	if answer == nil {
		answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }
	}
	seen := &statusOf{ResponseWriter: w}
	answer(seen, request)
	r.mu.Lock()
	r.got[place].taken = seen.status >= 200 && seen.status < 300
	r.mu.Unlock()
}

// statusOf remembers the status of an answer.
type statusOf struct {
	http.ResponseWriter
	status int
}

func (s *statusOf) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

func (s *statusOf) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// answers sets what it answers from now on; nil: 204.
func (r *receiver) answers(answer http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// received is what came, in order.
func (r *receiver) received() []message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// events are the ids of those that came, in order.
func (r *receiver) events() (ids []string) {
	for _, m := range r.received() {
		ids = append(ids, m.event.ID)
	}
	return ids
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// hangUp closes the connection without an answer.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		conn.Close()
	}
}

// verifies is written from the specification alone: standard-webhooks.md,
// "Signature scheme" and "Webhook headers".
func verifies(secret string, header http.Header, body []byte) bool {
	encoded, ok := strings.CutPrefix(secret, "whsec_")
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(key) < 24 || len(key) > 64 {
		return false
	}
	mac := hmac.New(sha256.New, key)
	_, _ = io.WriteString(mac, header.Get("webhook-id")+"."+header.Get("webhook-timestamp")+".")
	mac.Write(body)
	for _, one := range strings.Split(header.Get("webhook-signature"), " ") {
		version, signature, _ := strings.Cut(one, ",")
		given, err := base64.StdEncoding.DecodeString(signature)
		if version == "v1" && err == nil && hmac.Equal(given, mac.Sum(nil)) {
			return true
		}
	}
	return false
}
