package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/garminlink/garminlink/internal/link"
)

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestKeysetFileIsReadAgain(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "keyset")
	first, second := newKeyset(t), newKeyset(t)
	writeFile(t, file, first+"\n")
	keys, err := Keys{KeysetFile: file}.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before := keys.ring
	writeFile(t, file, first)
	if ring, err := keys.load(t.Context()); ring != before || err != nil {
		t.Errorf("the same keyset makes another ring, %v", err)
	}
	for _, broken := range []string{"", "{}", "vault:v1:x", second[:len(second)/2]} {
		writeFile(t, file, broken)
		if _, err := keys.load(t.Context()); err == nil || keys.ring != before {
			t.Errorf("%.10q: %v", broken, err)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := keys.load(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without the file: %v", err)
	}
	writeFile(t, file, second)
	if ring, err := keys.load(t.Context()); err != nil || ring == before || string(keys.json) != second {
		t.Errorf("the new keyset is not read: %v", err)
	}
}

// transit stands in for Vault, and counts what it unwraps. Its ciphertexts are
// no secret.
type transit struct {
	mu       sync.Mutex
	token    string // that it takes
	unwraps  int
	settings []string
}

func (v *transit) renew(token string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.token = token
}

func (v *transit) wantUnwraps(t *testing.T, want int) {
	t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.unwraps != want {
		t.Errorf("the KMS was asked %d times, want %d", v.unwraps, want)
	}
}

func newTransit(t *testing.T) *transit {
	t.Helper()
	v := &transit{token: "a-token"}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.mu.Lock()
		defer v.mu.Unlock()
		var sent struct{ Plaintext, Ciphertext string }
		if r.Header.Get("X-Vault-Token") != v.token {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_ = json.NewDecoder(r.Body).Decode(&sent)
		answer := map[string]string{}
		switch r.URL.Path {
		case "/v1/transit/encrypt/garminlink":
			answer["ciphertext"] = "vault:v1:" + sent.Plaintext
		case "/v1/transit/decrypt/garminlink":
			v.unwraps++
			answer["plaintext"] = strings.TrimPrefix(sent.Ciphertext, "vault:v1:")
		default:
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": answer})
	}))
	t.Cleanup(server.Close)
	v.settings = []string{"KMS=vault-transit", "VAULT_ADDR=" + server.URL, "VAULT_TOKEN=" + v.token, "VAULT_KEY=transit/garminlink"}
	return v
}

func TestKeysetComesWrapped(t *testing.T) {
	t.Parallel()
	b, vault := newBunch(t), newTransit(t)
	generated := garminlink(t, "", vault.settings, "keys", "generate")
	if generated.code != exitOK || !strings.HasPrefix(generated.stdout, "vault:v1:") {
		t.Fatalf("exit code %d: %s", generated.code, generated.stderr)
	}
	wrapper, err := mustLoad[Wrapping](t, vault.settings).wrapper()
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := wrapper.Wrap(t.Context(), []byte(b.keyset))
	if err != nil {
		t.Fatal(err)
	}
	settings := append([]string{"DATABASE_URL=" + b.db.URL, "KEYSET=" + wrapped}, vault.settings...)
	added := garminlink(t, "", settings, "keys", "add")
	if added.code != exitOK || !strings.HasPrefix(added.stdout, "vault:v1:") || added.says("primaryKeyId") {
		t.Fatalf("exit code %d: %s", added.code, added.stderr)
	}
	grown, err := wrapper.Unwrap(t.Context(), strings.TrimSpace(added.stdout))
	if err != nil || len(b.ring(string(grown)).Keys()) != 2 {
		t.Errorf("add made no keyset of two keys: %v", err)
	}
	alone(t, append(settings, "BASE_URL=http://localhost", "ADDR=127.0.0.1:0"), "serve").await(t, "serving")
}

func mustLoad[T any](t *testing.T, settings []string) T {
	t.Helper()
	var environ []string
	for _, s := range settings {
		environ = append(environ, prefix+s)
	}
	config, err := load[T](environ)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func TestKMSIsAskedOnceForEachKeyset(t *testing.T) {
	t.Parallel()
	vault, token := newTransit(t), filepath.Join(t.TempDir(), "token")
	writeFile(t, token, vault.token)
	settings := append(vault.settings[:len(vault.settings):len(vault.settings)], "VAULT_TOKEN=", "VAULT_TOKEN_FILE="+token)
	wrapping := mustLoad[Wrapping](t, settings)
	wrapper, err := wrapping.wrapper()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "keyset")
	deploy := func() {
		wrapped, err := wrapper.Wrap(t.Context(), []byte(newKeyset(t)))
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, file, wrapped)
	}
	deploy()
	keys, err := Keys{KeysetFile: file, Wrapping: wrapping}.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := keys.load(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	vault.wantUnwraps(t, 1)
	vault.renew("renewed")
	writeFile(t, token, "renewed\n")
	deploy()
	if _, err := keys.load(t.Context()); err != nil {
		t.Errorf("with a renewed token: %v", err)
	}
	vault.wantUnwraps(t, 2)
}

func TestKMSFaultsAreNamed(t *testing.T) {
	t.Parallel()
	b, vault := newBunch(t), newTransit(t)
	wrapped := "vault:v1:" + "e30="
	for name, c := range map[string]struct {
		settings []string
		says     string
		code     int
	}{
		"wrapped without a KMS":   {[]string{"KMS=", "KEYSET=" + wrapped}, "set GARMINLINK_KMS=vault-transit", exitConfig},
		"a KMS without a wrap":    {nil, "put the wrapped one there", exitConfig},
		"nothing in the wrap":     {[]string{"KEYSET=" + wrapped}, "put your copy of it back", exitConfig},
		"nothing is set":          {[]string{"VAULT_ADDR=", "VAULT_TOKEN=", "VAULT_KEY="}, "needs GARMINLINK_VAULT_ADDR and GARMINLINK_VAULT_TOKEN and GARMINLINK_VAULT_KEY", exitConfig},
		"a wrong token":           {[]string{"KEYSET=" + wrapped, "VAULT_TOKEN=hunter2"}, "check GARMINLINK_VAULT_ADDR, _TOKEN and _KEY", exitConfig},
		"a wrong mount":           {[]string{"KEYSET=" + wrapped, "VAULT_KEY=kv/garminlink"}, "no transit engine is mounted there", exitConfig},
		"a key without a mount":   {[]string{"VAULT_KEY=garminlink"}, "GARMINLINK_VAULT_KEY: ", exitConfig},
		"a key that climbs":       {[]string{"VAULT_KEY=transit/../sys"}, "GARMINLINK_VAULT_KEY: ", exitConfig},
		"http over the network":   {[]string{"VAULT_ADDR=http://vault.example.com"}, "GARMINLINK_VAULT_ADDR: ", exitConfig},
		"another KMS":             {[]string{"KMS=aws"}, `GARMINLINK_KMS: "aws" is neither none nor vault-transit`, exitConfig},
		"a KMS that is not there": {[]string{"KEYSET=" + wrapped, "VAULT_ADDR=http://127.0.0.1:1"}, "GARMINLINK_KEYSET: seal: ", exitFailure},
	} {
		settings := append([]string{"DATABASE_URL=" + b.db.URL, "KEYSET=" + b.keyset}, vault.settings...)
		got := garminlink(t, "", append(settings, c.settings...), "keys", "status")
		if got.code != c.code || !got.says(c.says) || got.says("hunter2") || got.says("a-token") {
			t.Errorf("%s: exit code %d: %s", name, got.code, got.stderr)
		}
	}
}

func TestReplicaTellsOfItselfWhileItServes(t *testing.T) {
	t.Parallel()
	b := newBunch(t)
	settings := []string{"DATABASE_URL=" + b.db.URL, "KEYSET=" + b.keyset, "BASE_URL=http://localhost", "ADDR=127.0.0.1:0"}
	p := alone(t, settings, "serve")
	awaitServing(t, p)
	host, _ := os.Hostname()
	if status := b.succeed("status"); !strings.Contains(status, host) {
		t.Errorf("status is\n%s", status)
	}
	// An added key must be deployed to it first.
	_, added := b.grow()
	b.refuse(exitFailure, []string{"replicas lack it: " + host}, "promote", id(added))
	p.ask(t, syscall.SIGTERM)
	if code := p.exit(t); code != exitOK {
		t.Errorf("exit code %d:\n%s", code, p.log)
	}
	b.succeed("promote", id(added))

	late := alone(t, settings, "serve")
	if code := late.exit(t); code != exitConfig || !strings.Contains(late.log.String(), id(added)+", which seals") || late.log.first("serving") != nil {
		t.Errorf("without the promoted key: exit code %d:\n%s", code, late.log)
	}
}

func TestKeysThatAreNeededAndMissingAreNamedAtStart(t *testing.T) {
	t.Parallel()
	b := newBunch(t)
	b.exec("INSERT INTO oauth1_consumer (consumer_key, secret, key_id) VALUES ('x', 'x', 4711)")
	p := alone(t, []string{"DATABASE_URL=" + b.db.URL, "KEYSET=" + b.keyset, "BASE_URL=http://localhost", "ADDR=127.0.0.1:0"}, "serve")
	awaitServing(t, p)
	line := p.log.first("the keyset lacks a key that is needed: its users cannot be served until it is back")
	if line == nil || line["key"] != float64(4711) || line["rows"] != float64(1) || line["in"] != string(link.HeldConsumer) {
		t.Errorf("the log says\n%s", p.log)
	}
}
