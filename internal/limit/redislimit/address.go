package redislimit

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Address says where a Redis is, and holds its password: it prints without. The
// zero value is none.
type Address struct{ options *redis.Options }

// IsZero reports whether there is no address.
func (a Address) IsZero() bool { return a.options == nil }

// errForm repeats nothing of what it is about: any part of a URL that is not
// understood may be one of the password.
var errForm = errors.New("is not of the form redis://user:password@host:port/db, rediss://... or unix:///path?db=n; " +
	"special characters of a password are written as %xx")

// UnmarshalText reads the address as go-redis does, some options in the query
// included.
func (a *Address) UnmarshalText(text []byte) (err error) {
	a.options, err = redis.ParseURL(string(text))
	if err != nil || !strings.Contains(string(text), "://") { // go-redis takes redis:host for localhost
		return errForm
	}
	return nil
}

// String returns what tells one Redis from another.
func (a Address) String() string {
	if a.IsZero() {
		return ""
	}
	return fmt.Sprintf("%s:%s/%d", a.options.Network, a.options.Addr, a.options.DB)
}

// Format implements fmt.Formatter for all verbs.
func (a Address) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, a.String()) }

// LogValue implements slog.LogValuer.
func (a Address) LogValue() slog.Value { return slog.StringValue(a.String()) }
