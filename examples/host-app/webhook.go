package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// webhooks receives events, signed as Standard Webhooks has it.
type webhooks struct {
	secret []byte

	mu     sync.Mutex
	seen   map[string]bool   // deliveries; yours stands in the database, beside what an event has changed
	events map[string]string // the last, by user
}

// parseSecret reads whsec_ and base64.
func parseSecret(text string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(text, "whsec_")
	secret, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil {
		return nil, errors.New("GARMINLINK_WEBHOOK_SECRET is not whsec_ and base64")
	}
	return secret, nil
}

type event struct {
	ID   string `json:"id"`
	Type string `json:"type"` // link.active, link.reauth_needed, ...
	Data struct {
		ExternalID string `json:"external_id"`
		State      string `json:"state"`
	} `json:"data"`
}

// receive answers fast and 204: what takes long belongs in a queue, as who does
// not answer in time is sent the event again.
func (h *webhooks) receive(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
	if err != nil || !h.genuine(r.Header, body, time.Now()) {
		http.Error(w, "not signed by garminlink", http.StatusUnauthorized)
		return
	}
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		http.Error(w, "not an event", http.StatusBadRequest)
		return
	}
	h.note(r.Header.Get("webhook-id"), e)
	w.WriteHeader(http.StatusNoContent)
}

// tolerance is how old a delivery may be: an old one may be a recording.
const tolerance = 5 * time.Minute

// genuine checks the signature over id, time and the body as it came: JSON that
// was decoded and encoded again is not the same. There may be several
// signatures, while a secret is replaced.
func (h *webhooks) genuine(header http.Header, body []byte, now time.Time) bool {
	id, stamp := header.Get("webhook-id"), header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return false
	}
	mac := hmac.New(sha256.New, h.secret)
	mac.Write([]byte(id + "." + stamp + "." + string(body)))
	want := mac.Sum(nil)
	for signature := range strings.FieldsSeq(header.Get("webhook-signature")) {
		encoded, ok := strings.CutPrefix(signature, "v1,")
		got, err := base64.StdEncoding.DecodeString(encoded)
		if ok && err == nil && hmac.Equal(got, want) {
			return true
		}
	}
	return false
}

// note takes each delivery once: the same one may come again.
func (h *webhooks) note(id string, e event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.seen[id] {
		return
	}
	h.seen[id] = true
	h.events[e.Data.ExternalID] = e.Type
}

func (h *webhooks) last(user string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.events[user]
}
