package notify

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/link"
)

// Errors of what an operator asks for.
var (
	ErrNotFound = errors.New("notify: not found")
	ErrURL      = errors.New("notify: not an address for webhooks")
	ErrEvents   = errors.New("notify: no such event")
	ErrDisabled = errors.New("notify: the endpoint is disabled")
	ErrBusy     = errors.New("notify: it is being sent right now, or an earlier one of the same link goes first")
)

// Endpoint is an address that is told of events. It has no field for a secret.
// Times are the database's; a zero one says that it is not so, or not yet.
type Endpoint struct {
	ID        uuid.UUID
	URL       string
	Events    []link.EventType // empty: all, also those of versions to come
	CreatedAt time.Time

	DisabledAt  time.Time // it is told of nothing that happens from then on
	Disabled    Disabling // why
	FormerUntil time.Time // the former secret signs too, until then
	PausedUntil time.Time // it has asked for that

	LastSuccess  time.Time // exact to a minute
	FailingSince time.Time // zero: the last attempt succeeded
	Waiting      int       // deliveries
}

// Disabling says why an endpoint is told of nothing.
type Disabling string

const (
	ByOperator Disabling = "by_operator"
	ByGone     Disabling = "gone" // it answered 410 Gone
)

// wants reports whether the endpoint is to be told of an event. Events from
// before it was asked for are the store's to leave out.
func (e Endpoint) wants(t link.EventType) bool {
	return e.DisabledAt.IsZero() && (len(e.Events) == 0 || slices.Contains(e.Events, t))
}

// AllEvents stands for all events, also those of versions to come.
const AllEvents = "all"

// ParseEvents reads names of events, or AllEvents alone, and returns each once;
// none for all. It fails with ErrEvents.
func ParseEvents(names []string) ([]link.EventType, error) {
	if slices.Equal(names, []string{AllEvents}) {
		return nil, nil
	}
	var types []link.EventType
	for _, name := range names {
		t := link.EventType(name)
		if !slices.Contains(link.EventTypes, t) {
			return nil, fmt.Errorf("%w: %q is neither %s nor one of %v", ErrEvents, name, AllEvents, link.EventTypes)
		}
		if !slices.Contains(types, t) {
			types = append(types, t)
		}
	}
	if types == nil {
		return nil, fmt.Errorf("%w: none is named", ErrEvents)
	}
	return types, nil
}

// longestURL bounds addresses, in bytes.
const longestURL = 2000

// checkURL refuses what could never be called. Where a name leads is seen at
// each call: see guard. It fails with ErrURL.
func checkURL(text string, allowed []netip.Prefix) error {
	u, err := url.Parse(text)
	bare := strings.Trim(text, "\x00 \t\r\n") == text
	switch {
	case err != nil || !bare || len(text) > longestURL || u.Opaque != "" || u.Hostname() == "":
		return fmt.Errorf("%w: it is not of the form https://host/path", ErrURL)
	case u.User != nil:
		return fmt.Errorf("%w: a name or password has no place in it: messages are signed", ErrURL)
	case u.Fragment != "":
		return fmt.Errorf("%w: what follows # is never sent", ErrURL)
	case u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("%w: it does not begin with https://", ErrURL)
	case u.Scheme == "http" && len(allowed) == 0:
		return fmt.Errorf("%w: without TLS, messages go only to addresses that are allowed, and none is", ErrURL)
	}
	a, err := netip.ParseAddr(u.Hostname())
	g := guard{allowed: allowed, public: u.Scheme == "https"}
	if err == nil && !g.lets(a) {
		return fmt.Errorf("%w: %s", ErrAddressRefused, a)
	}
	return nil
}
