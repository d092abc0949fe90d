package garmin_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// checkSilent fails if a value shows a secret, however it is printed.
func checkSilent(t *testing.T, sim *garmintest.Server, values ...any) {
	t.Helper()
	secrets := sim.Secrets()
	for _, v := range values {
		for _, text := range printed(t, v) {
			for _, secret := range secrets {
				if strings.Contains(text, secret) {
					t.Errorf("%T prints a secret: %s", v, text)
				}
			}
		}
	}
}

func printed(t *testing.T, v any) []string {
	t.Helper()
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("text", "v", v)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("json", "v", v)
	texts := []string{log.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
		texts = append(texts, fmt.Sprintf(verb, v))
	}
	if b, err := json.Marshal(v); err == nil {
		texts = append(texts, string(b))
	}
	return texts
}

func TestSecretsNeverPrint(t *testing.T) {
	t.Parallel()
	sim, c := newGarmin(t)
	ch := mustChallenge(t, c, "mfa@garmin.example")
	ticket, err := c.SubmitCode(t.Context(), ch, garmintest.DemoCode)
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Exchange(t.Context(), ticket)
	if err != nil {
		t.Fatal(err)
	}
	password := garmin.Secret(garmintest.DemoPassword)
	holder := struct {
		Password garmin.Secret
		Ticket   *garmin.Ticket
		Session  *garmin.Session
		Nested   []any
	}{password, ticket, s, []any{*ticket, *s, *ch}}
	checkSilent(t, sim, password, &password, ticket, *ticket, ch, *ch, s, *s, holder, map[string]any{"s": s, "p": password})
	if password.Reveal() != garmintest.DemoPassword {
		t.Error("Reveal does not reveal")
	}
}

func TestSecretPrintsItsPlaceholder(t *testing.T) {
	t.Parallel()
	for _, text := range printed(t, garmin.Secret("hunter2"))[1:7] {
		if text != "[redacted]" {
			t.Errorf("a Secret printed %q", text)
		}
	}
	if got := fmt.Sprintf("%s", fmt.Errorf("cause: %w", errors.New(fmt.Sprint(garmin.Secret("x"))))); got != "cause: [redacted]" {
		t.Errorf("inside an error: %q", got)
	}
}
