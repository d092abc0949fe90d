package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// hook is a program that is told of events.
type hook struct {
	*httptest.Server
	got  chan webhookMessage
	hold chan struct{} // no message is answered before it is closed
}

type webhookMessage struct {
	header http.Header
	body   string
}

func newHook(t testing.TB) *hook {
	t.Helper()
	h := &hook{got: make(chan webhookMessage, 100), hold: make(chan struct{})}
	close(h.hold)
	h.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.got <- webhookMessage{r.Header, string(body)}
		<-h.hold
	}))
	t.Cleanup(h.Close)
	return h
}

// signedWith reports whether one of the signatures is of this secret.
func (m webhookMessage) signedWith(secret string) bool {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	mac := hmac.New(sha256.New, key)
	_, _ = io.WriteString(mac, m.header.Get("webhook-id")+"."+m.header.Get("webhook-timestamp")+"."+m.body)
	return strings.Contains(m.header.Get("webhook-signature"), "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

const webhookAllow = "WEBHOOK_ALLOW=127.0.0.0/8"

// webhook runs `garminlink webhook`.
func (b *bunch) webhook(args ...string) outcome {
	b.t.Helper()
	settings := []string{"DATABASE_URL=" + b.db.URL, "KEYSET=" + b.keyset, webhookAllow}
	return garminlink(b.t, "", settings, append([]string{"webhook"}, args...)...)
}

// webhookSays runs a command that must succeed and print all these words.
func (b *bunch) webhookSays(words []string, args ...string) outcome {
	b.t.Helper()
	got := b.webhook(args...)
	if got.code != exitOK {
		b.t.Fatalf("webhook %s: exit code %d: %s", args, got.code, got.stderr)
	}
	for _, word := range words {
		if !strings.Contains(got.stdout, word) {
			b.t.Errorf("webhook %s does not say %q:\n%s", args, word, got.stdout)
		}
	}
	return got
}

// fieldAfter is what stands behind a label on the line that has it.
func fieldAfter(t testing.TB, text, label string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, label+": ")
	if !found {
		t.Fatalf("no %s in %q", label, text)
	}
	value, _, _ := strings.Cut(rest, "\n")
	return value
}

func TestWebhookCommands(t *testing.T) {
	t.Parallel()
	b, h := newBunch(t), newHook(t)
	b.webhookSays([]string{"ENDPOINT", "WAITING"}, "list")
	b.webhookSays([]string{"Nothing."}, "log")
	added := b.webhookSays([]string{"Endpoint: ", "Secret: whsec_"}, "add", h.URL+"/events", "--events", "link.active,link.removed")
	endpoint, secret := fieldAfter(t, added.stdout, "Endpoint"), fieldAfter(t, added.stdout, "Secret")
	b.webhookSays([]string{endpoint, h.URL + "/events", "link.active,link.removed", "enabled", "-"}, "list")

	b.webhookSays([]string{"Delivered: answered 200"}, "test", endpoint)
	if m := <-h.got; !m.signedWith(secret) || !strings.Contains(m.body, `"type":"test.ping"`) {
		t.Errorf("got %v", m)
	}
	rotated := fieldAfter(t, b.webhookSays([]string{"Secret: whsec_"}, "rotate", endpoint).stdout, "Secret")
	b.webhookSays([]string{"enabled, two secrets"}, "list")
	said := b.webhookSays([]string{"test.ping", "delivered", "answered 200", endpoint}, "log", "--endpoint", endpoint).stdout
	delivery := strings.Fields(said)[3]
	b.webhookSays([]string{"Delivered"}, "resend", delivery)
	if m := <-h.got; !m.signedWith(secret) || !m.signedWith(rotated) || m.header.Get("webhook-id") != delivery {
		t.Errorf("got %v", m)
	}
	b.webhookSays([]string{"Nothing."}, "log", "--failed")
	b.webhookSays([]string{"Nothing."}, "log", "--user", uuid.NewString())

	b.webhookSays([]string{"Disabled."}, "disable", endpoint)
	b.webhookSays([]string{"  disabled  "}, "list")
	if got := b.webhook("test", endpoint); got.code != exitFailure || !got.says("`garminlink webhook enable` it first") {
		t.Errorf("exit code %d: %s", got.code, got.stderr)
	}
	b.webhookSays([]string{"Enabled."}, "enable", endpoint)
	h.Close()
	if got := b.webhook("test", endpoint); got.code != exitFailure || !got.says("not delivered: the connection was refused") {
		t.Errorf("exit code %d: %s", got.code, got.stderr)
	}
	b.webhookSays([]string{"given up", "the connection was refused"}, "log", "--failed")
	b.webhookSays([]string{"Removed"}, "remove", endpoint)
	b.webhookSays([]string{"Nothing."}, "log")
	b.webhookSays([]string{"Endpoint"}, "add", "https://example.com/", "--events", "all")
	b.webhookSays([]string{"https://example.com/   all      enabled"}, "list")
}

func TestWebhookCommandsRefuse(t *testing.T) {
	t.Parallel()
	b := newBunch(t)
	none := uuid.NewString()
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"add https://example.com/", exitUsage, `"events" not set`},
		{"add --events all", exitUsage, "arg"},
		{"add https://example.com/ --events link.bogus", exitUsage, "link.reauth_needed"},
		{"add https://me:pw@example.com/ --events all", exitFailure, "name or password"},
		{"add example.com --events all", exitFailure, "https://host/path"},
		{"add https://10.0.0.1/ --events all", exitFailure, "GARMINLINK_WEBHOOK_ALLOW"},
		{"add http://1.1.1.1/ --events all", exitFailure, "GARMINLINK_WEBHOOK_ALLOW"},
		{"rotate", exitUsage, "webhook list"},
		{"rotate 4711", exitUsage, "webhook list"},
		{"rotate " + none, exitFailure, "none with this id"},
		{"test " + none, exitFailure, "none with this id"},
		{"enable " + none, exitFailure, "webhook list"},
		{"disable " + none, exitFailure, "webhook list"},
		{"remove " + none, exitFailure, "webhook list"},
		{"resend " + none, exitFailure, "webhook log"},
		{"log --endpoint x", exitFailure, "--endpoint"},
		{"log --user x", exitFailure, "--user"},
		{"log --user ext:nobody", exitFailure, "not found"},
	} {
		if got := b.webhook(strings.Fields(c.args)...); got.code != c.code || !got.says(c.says) {
			t.Errorf("webhook %s: exit code %d, want %d and %q: %s", c.args, got.code, c.code, c.says, got.stderr)
		}
	}
	got := garminlink(t, "", []string{"DATABASE_URL=" + b.db.URL, "KEYSET=" + b.keyset}, "webhook", "add", "http://example.com/", "--events", "all")
	if got.code != exitFailure || !got.says("without TLS") {
		t.Errorf("without TLS: exit code %d: %s", got.code, got.stderr)
	}
	got = garminlink(t, "", []string{"DATABASE_URL=" + b.db.URL, "KEYSET=" + newKeyset(t)}, "webhook", "add", "https://example.com/", "--events", "all")
	if got.code != exitConfig {
		t.Errorf("with a wrong keyset: exit code %d: %s", got.code, got.stderr)
	}
}
