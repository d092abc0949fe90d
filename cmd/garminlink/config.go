package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/garminlink/garminlink/internal/link"
)

// Config is the whole configuration. Commands that need less of it load the
// embedded parts alone.
type Config struct {
	Database
	Addresses
	Logging
	Garmin
	Keys
	Limits
	Webhooks
	Mail

	BaseURL        origin     `env:"BASE_URL,required"`
	Signup         signup     `env:"SIGNUP" envDefault:"closed"`
	TrustedProxies networks   `env:"TRUSTED_PROXIES"`
	Migrate        migration  `env:"MIGRATE" envDefault:"never"`
	ReturnURLs     returnURLs `env:"RETURN_URLS"` // empty: nobody is sent back
}

// Database says where everything is kept.
type Database struct {
	DatabaseURL    secret `env:"DATABASE_URL,required"`
	DatabaseSchema schema `env:"DATABASE_SCHEMA" envDefault:"garminlink"`
}

// Addresses are where the program listens.
type Addresses struct {
	Addr    address `env:"ADDR" envDefault:":8080"`
	OpsAddr address `env:"OPS_ADDR"` // empty: health on Addr alone, and no metrics
}

// Logging says what is logged, and how.
type Logging struct {
	LogLevel  slog.Level `env:"LOG_LEVEL" envDefault:"info"`
	LogFormat logFormat  `env:"LOG_FORMAT" envDefault:"text"`
}

func (l Logging) logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: l.LogLevel}
	if l.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// secret never prints.
type secret string

func (secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }
func (secret) LogValue() slog.Value       { return slog.StringValue("[redacted]") }

// origin is the address under which browsers know us.
type origin struct{ *url.URL }

func (o *origin) UnmarshalText(text []byte) error {
	u, err := url.Parse(string(text))
	if err != nil {
		return errors.New("is not a URL")
	}
	plain := url.URL{Scheme: u.Scheme, Host: u.Host}
	if *u != plain && *u != (url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/"}) {
		return fmt.Errorf("%q has more than scheme, host and port", text)
	}
	if u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("%q is not of the form https://host", text)
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return fmt.Errorf("%q is http: passwords need https everywhere but on localhost", text)
	}
	o.URL = &plain
	return nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// returnURLs are where host applications may have their users back.
type returnURLs link.ReturnURLs

func (r *returnURLs) UnmarshalText(text []byte) error {
	urls, err := link.ParseReturnURLs(string(text))
	if err != nil {
		return err
	}
	for _, u := range urls {
		if u.Scheme == "http" && !loopback(u.Hostname()) {
			return fmt.Errorf("%q is http: users go back by https everywhere but to localhost", u.String())
		}
	}
	*r = returnURLs(urls)
	return nil
}

// schema is a name that needs no quotes.
type schema string

var schemaPattern = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

func (s *schema) UnmarshalText(text []byte) error {
	if !schemaPattern.Match(text) {
		return fmt.Errorf("%q is not a plain name of lower-case letters, digits and _", text)
	}
	if strings.HasPrefix(string(text), "pg_") {
		return fmt.Errorf("%q: PostgreSQL keeps names with pg_ for itself", text)
	}
	*s = schema(text)
	return nil
}

// networks are addresses, or ranges of them in CIDR form, with commas between.
type networks []netip.Prefix

func (n *networks) UnmarshalText(text []byte) error {
	var faulty []string
	for part := range strings.SplitSeq(string(text), ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		if a, err := netip.ParseAddr(part); err == nil {
			*n = append(*n, netip.PrefixFrom(a, a.BitLen()))
		} else if p, err := netip.ParsePrefix(part); err == nil {
			*n = append(*n, p)
		} else {
			faulty = append(faulty, part)
		}
	}
	if faulty != nil {
		return fmt.Errorf("neither addresses nor ranges such as 10.0.0.0/8: %q", faulty)
	}
	return nil
}

type address string

func (a *address) UnmarshalText(text []byte) error {
	_, port, err := net.SplitHostPort(string(text))
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("%q is not of the form host:port or :port", text)
	}
	*a = address(text)
	return nil
}

type (
	signup    string
	logFormat string
	migration string
)

func (s *signup) UnmarshalText(text []byte) error    { return choose(s, text, "open", "closed") }
func (f *logFormat) UnmarshalText(text []byte) error { return choose(f, text, "text", "json") }
func (m *migration) UnmarshalText(text []byte) error { return choose(m, text, "auto", "never") }

func choose[T ~string](value *T, text []byte, allowed ...T) error {
	if !slices.Contains(allowed, T(text)) {
		return fmt.Errorf("%q is neither %s nor %s", text, allowed[0], allowed[1])
	}
	*value = T(text)
	return nil
}
