package api

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/link"
)

// Bounds of openapi.yaml.
const (
	defaultLimit = 50
	maxLimit     = 200
)

// query reads the parameters of a request. A parameter that is faulty, unknown
// or there twice is refused: a filter that is not obeyed would be a lie.
type query struct {
	sent  url.Values
	known []string
	err   error // the first
}

func queryOf(c echo.Context) *query {
	q := new(query)
	var err error
	if q.sent, err = url.ParseQuery(c.Request().URL.RawQuery); err != nil {
		q.refuse("query", "must be name=value, percent-encoded, joined by ampersands")
	}
	return q
}

// take returns the value of a parameter; ok is false if it is absent.
func (q *query) take(name string) (value string, ok bool) {
	q.known = append(q.known, name)
	values, ok := q.sent[name]
	if !ok {
		return "", false
	}
	if len(values) > 1 {
		q.refuse(name, "must be there once")
	}
	return values[0], true
}

func (q *query) refuse(name, detail string) {
	if q.err == nil {
		q.err = invalid(name, detail)
	}
}

// number returns absent if the parameter is.
func (q *query) number(name string, absent, least, most int) int {
	text, ok := q.take(name)
	if !ok {
		return absent
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		q.refuse(name, "must be a number from "+strconv.Itoa(least)+" to "+strconv.Itoa(most))
	}
	return n
}

func (q *query) time(name string) time.Time {
	text, ok := q.take(name)
	if !ok {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		q.refuse(name, "must be "+aTime)
	}
	return t
}

func (q *query) state() LinkState {
	text, ok := q.take("state")
	s, all := LinkState(text), []LinkState{LinkStateNotLinked, LinkStateMfaPending, LinkStateActive, LinkStateReauthNeeded}
	if ok && !slices.Contains(all, s) {
		q.refuse("state", mustBeOneOf(all))
	}
	return s
}

func (q *query) types() (types []link.EventType) {
	text, ok := q.take("types")
	if !ok {
		return nil
	}
	for name := range strings.SplitSeq(text, ",") {
		t := link.EventType(name)
		if !EventType(t).Valid() || slices.Contains(types, t) {
			q.refuse("types", "must be types of events, each once, with commas between")
		}
		types = append(types, t)
	}
	return types
}

// rest fails with the first fault.
func (q *query) rest() error {
	for name := range q.sent {
		if !slices.Contains(q.known, name) {
			q.refuse(printed(name), "is no parameter of this request")
		}
	}
	return q.err
}

var entityTag = regexp.MustCompile(`^"([0-9]{1,18})"$`)

// presumed is what a write presumes: a generation, or, if that is 0, that there
// is nothing yet.
func presumed(c echo.Context) (generation int64, err error) {
	h := c.Request().Header
	match, noneMatch := h.Values("If-Match"), h.Values("If-None-Match")
	switch {
	case len(match)+len(noneMatch) == 0:
		return 0, refuse(CodePreconditionRequired)
	case len(match)+len(noneMatch) > 1:
		return 0, invalid("If-Match", "must be there once, and If-None-Match not at all, or the other way round")
	case len(noneMatch) == 1 && noneMatch[0] == "*":
		return 0, nil
	case len(noneMatch) == 1:
		return 0, invalid("If-None-Match", "must be *")
	}
	tag := entityTag.FindStringSubmatch(match[0])
	if tag == nil {
		return 0, invalid("If-Match", "must be the generation in quotes")
	}
	generation, err = strconv.ParseInt(tag[1], 10, 64)
	if err != nil || generation == 0 {
		return 0, invalid("If-Match", "must be a generation that was checked out")
	}
	return generation, nil
}
