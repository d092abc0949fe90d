package seal_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/garminlink/garminlink/internal/seal"
)

const transitToken = "hvs.a-token"

// transitServer speaks the protocol of Vault's transit engine and takes nothing
// that the engine would refuse. Its ciphertexts are no secret.
func transitServer(t *testing.T) *url.URL {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/kms/transit/encrypt/garminlink", func(w http.ResponseWriter, r *http.Request) {
		plaintext, err := base64.StdEncoding.DecodeString(transitField(t, r, "plaintext"))
		if err != nil {
			transitErrors(w, http.StatusBadRequest, "failed to base64-decode plaintext")
			return
		}
		transitAnswer(w, map[string]any{"ciphertext": "vault:v1:" + base64.StdEncoding.EncodeToString(plaintext), "key_version": 1})
	})
	mux.HandleFunc("POST /v1/kms/transit/decrypt/garminlink", func(w http.ResponseWriter, r *http.Request) {
		inner, found := strings.CutPrefix(transitField(t, r, "ciphertext"), "vault:v1:")
		if _, err := base64.StdEncoding.DecodeString(inner); err != nil || !found {
			transitErrors(w, http.StatusBadRequest, "invalid ciphertext: "+inner)
			return
		}
		transitAnswer(w, map[string]any{"plaintext": inner})
	})
	return serverAt(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Vault-Token") != transitToken || r.Header.Get("X-Vault-Request") != "true" {
			transitErrors(w, http.StatusForbidden, "permission denied")
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func serverAt(t *testing.T, handler http.HandlerFunc) *url.URL {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// transitField is the only field of a request.
func transitField(t *testing.T, r *http.Request, name string) string {
	var fields map[string]string
	if err := json.NewDecoder(r.Body).Decode(&fields); err != nil || len(fields) != 1 {
		t.Errorf("%s got %v, %v", r.URL.Path, fields, err)
	}
	return fields[name]
}

func transitAnswer(w http.ResponseWriter, data any) {
	_ = json.NewEncoder(w).Encode(map[string]any{
		"request_id": "4b4c1b9a", "lease_id": "", "renewable": false, "lease_duration": 0, "data": data,
	})
}

func transitErrors(w http.ResponseWriter, status int, errors ...string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": errors})
}

func transitOf(address *url.URL) *seal.Transit {
	return seal.NewTransit(address, "kms/transit", "garminlink", func() (string, error) { return transitToken, nil })
}

func TestTransitWrapsAndUnwraps(t *testing.T) {
	t.Parallel()
	transit := transitOf(transitServer(t))
	keyset, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := transit.Wrap(t.Context(), keyset)
	if err != nil || !strings.HasPrefix(wrapped, "vault:v1:") {
		t.Fatalf("Wrap = %.20q, %v", wrapped, err)
	}
	if got, err := transit.Unwrap(t.Context(), wrapped); err != nil || string(got) != string(keyset) {
		t.Errorf("Unwrap = %v", err)
	}
}

func TestTransitUnwrapsNothingElse(t *testing.T) {
	t.Parallel()
	transit := transitOf(transitServer(t))
	for _, text := range []string{"", "{}", "vault", "v1:AAAA"} {
		if _, err := transit.Unwrap(t.Context(), text); !errors.Is(err, seal.ErrNotWrapped) {
			t.Errorf("Unwrap(%q) = %v", text, err)
		}
	}
	if _, err := transit.Unwrap(t.Context(), "vault:v1:not base64 s3cret"); !errors.Is(err, seal.ErrKMSRefused) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("a broken ciphertext: %v", err)
	}
}

func TestTransitAsksForTheTokenEachTime(t *testing.T) {
	t.Parallel()
	token := "expired"
	gone := errors.New("no token there")
	transit := seal.NewTransit(transitServer(t), "kms/transit", "garminlink", func() (string, error) {
		if token == "" {
			return "", gone
		}
		return token, nil
	})
	for _, c := range []struct {
		token string
		want  error
	}{{"expired", seal.ErrKMSRefused}, {transitToken, nil}, {"", gone}} {
		token = c.token
		if _, err := transit.Wrap(t.Context(), []byte("keyset")); !errors.Is(err, c.want) {
			t.Errorf("with %q: %v", c.token, err)
		}
	}
}

// What a server answers may quote the keyset or the token.
func TestTransitFaultsQuoteNothing(t *testing.T) {
	t.Parallel()
	elsewhere := serverAt(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("the token went on to %s", r.URL) })
	for name, c := range map[string]struct {
		status  int
		body    string
		refused bool
	}{
		"no such key":        {400, "", true},
		"forbidden":          {403, "", true},
		"not mounted":        {404, "", true},
		"moved":              {307, "", true},
		"sealed":             {503, "", false},
		"broken":             {500, "", false},
		"not JSON":           {200, "s3cret", false},
		"another JSON":       {200, `{"data":{"plaintext":17,"s3cret":1}}`, false},
		"nothing":            {200, `{"data":{}}`, false},
		"not base64":         {200, `{"data":{"plaintext":"s3cret"}}`, false},
		"an endless answer":  {200, `{"data":{"plaintext":"` + strings.Repeat("s3cret", 1<<18), false},
		"a foreign envelope": {200, `{"plaintext":"czNjcmV0"}`, false},
	} {
		address := serverAt(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", elsewhere.String())
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body+`{"errors":["s3cret"]}`)
		})
		_, wrapped := transitOf(address).Wrap(t.Context(), []byte("s3cret"))
		_, unwrapped := transitOf(address).Unwrap(t.Context(), "vault:v1:s3cret")
		for _, err := range []error{wrapped, unwrapped} {
			if err == nil || errors.Is(err, seal.ErrKMSRefused) != c.refused || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), transitToken) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestTransitThatHangsIsLeft(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	address := serverAt(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then is it seen that the client leaves
		cancel()
		<-r.Context().Done()
	})
	if _, err := transitOf(address).Wrap(ctx, []byte("s3cret")); !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("Wrap = %v", err)
	}
}
