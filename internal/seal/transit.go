package seal

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Wrapper encrypts whole keysets under a key that never leaves a key management
// service, so that what is deployed is of no use without that service.
type Wrapper interface {
	// Wrap returns the text to deploy.
	Wrap(ctx context.Context, keyset []byte) (string, error)
	// Unwrap fails with ErrNotWrapped for a text that is not of this service's.
	Unwrap(ctx context.Context, wrapped string) ([]byte, error)
}

// Errors of a Wrapper. Any other is of a service that cannot be reached or has
// a trouble of its own: worth another try.
var (
	ErrNotWrapped = errors.New("seal: not a keyset that the key management service has wrapped")
	ErrKMSRefused = errors.New("seal: the key management service refuses")
)

// Transit has the transit engine of HashiCorp Vault, or of OpenBao, wrap
// keysets. Plaintexts are base64 within its protocol, ciphertexts begin with
// "vault:" and the version of the key
// (developer.hashicorp.com/vault/api-docs/secret/transit).
type Transit struct {
	address *url.URL
	mount   string
	key     string
	token   func() (string, error)
	client  *http.Client
}

const (
	transitMark    = "vault:v"
	transitTime    = 10 * time.Second // for one call
	longestTransit = 1 << 20          // bytes of an answer; keysets have a few hundred for each key
)

// NewTransit returns the engine that is mounted at mount of the server at
// address, with one of its keys. The token is asked for before each call, as
// tokens are renewed. Plain http shows it and the keyset to the network: that
// is for the caller to forbid.
func NewTransit(address *url.URL, mount, key string, token func() (string, error)) *Transit {
	return &Transit{address: address, mount: mount, key: key, token: token, client: &http.Client{
		Timeout: transitTime,
		// Go would send the token's header along to wherever it is led.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Wrap implements Wrapper.
func (t *Transit) Wrap(ctx context.Context, keyset []byte) (string, error) {
	answer, err := t.call(ctx, "encrypt", transitData{Plaintext: base64.StdEncoding.EncodeToString(keyset)})
	if err != nil {
		return "", err
	}
	if !strings.HasPrefix(answer.Ciphertext, transitMark) {
		return "", errUnlikeTransit
	}
	return answer.Ciphertext, nil
}

// Unwrap implements Wrapper.
func (t *Transit) Unwrap(ctx context.Context, wrapped string) ([]byte, error) {
	if !strings.HasPrefix(wrapped, transitMark) {
		return nil, ErrNotWrapped
	}
	answer, err := t.call(ctx, "decrypt", transitData{Ciphertext: wrapped})
	if err != nil {
		return nil, err
	}
	keyset, err := base64.StdEncoding.DecodeString(answer.Plaintext)
	if err != nil || len(keyset) == 0 {
		return nil, errUnlikeTransit
	}
	return keyset, nil
}

// transitData is what both requests and answers hold, of which each has one.
type transitData struct {
	Plaintext  string `json:"plaintext,omitempty"`
	Ciphertext string `json:"ciphertext,omitempty"`
}

var errUnlikeTransit = errors.New("seal: the answer is not one of Vault's transit engine: check the address")

func (t *Transit) call(ctx context.Context, operation string, data transitData) (transitData, error) {
	request, err := t.request(ctx, operation, data)
	if err != nil {
		return transitData{}, err
	}
	response, err := t.client.Do(request)
	if err != nil {
		return transitData{}, fmt.Errorf("seal: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return transitData{}, transitFault(operation, response.StatusCode)
	}
	var answer struct{ Data transitData }
	if json.NewDecoder(io.LimitReader(response.Body, longestTransit)).Decode(&answer) != nil {
		return transitData{}, errUnlikeTransit // a JSON error may quote the keyset
	}
	return answer.Data, nil
}

func (t *Transit) request(ctx context.Context, operation string, data transitData) (*http.Request, error) {
	token, err := t.token()
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(data)
	if err != nil {
		return nil, err
	}
	address := t.address.JoinPath("v1", t.mount, operation, t.key)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Vault-Token", token)
	request.Header.Set("X-Vault-Request", "true") // Vault's agent may demand it, against forged requests
	return request, nil
}

// transitFault leaves the answer's own words out: they may quote what was sent.
func transitFault(operation string, status int) error {
	switch status {
	case http.StatusBadRequest:
		return fmt.Errorf("%w to %s: no such key, or not its ciphertext", ErrKMSRefused, operation)
	case http.StatusForbidden:
		return fmt.Errorf("%w to %s: the token is over, or its policy does not allow it", ErrKMSRefused, operation)
	case http.StatusNotFound:
		return fmt.Errorf("%w to %s: no transit engine is mounted there", ErrKMSRefused, operation)
	case http.StatusServiceUnavailable:
		return fmt.Errorf("seal: Vault cannot %s: it is sealed, or in maintenance", operation)
	case http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return fmt.Errorf("%w to %s here and names another server: give the address of that", ErrKMSRefused, operation)
	default:
		return fmt.Errorf("seal: Vault cannot %s: status %d", operation, status)
	}
}
