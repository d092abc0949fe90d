package garmin

import (
	"fmt"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is a password, a code, a ticket or a token. Under fmt, slog, JSON and text encoding it prints as
// [redacted]; only Reveal gives the value. fmt cannot reach the methods of an unexported field, so a struct that
// hides a Secret in one needs a Format method of its own.
type Secret string

// Reveal returns the value itself.
func (s Secret) Reveal() string { return string(s) }

// Format prints [redacted], whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue logs [redacted].
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON encodes [redacted].
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText encodes [redacted].
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
