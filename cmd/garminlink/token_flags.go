package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/garminlink/garminlink/internal/account"
)

// scopeList is scopes as a flag, with commas between or repeated.
type scopeList []account.Scope

func (l *scopeList) Set(text string) error {
	for name := range strings.SplitSeq(text, ",") {
		scope, err := account.ParseScope(strings.TrimSpace(name))
		if err != nil {
			return err
		}
		*l = append(*l, scope)
	}
	return nil
}

func (l *scopeList) String() string { return scopeNames(*l) }
func (*scopeList) Type() string     { return "scope" }

// expiry is the end of a token as a flag.
type expiry time.Time

func (e *expiry) Set(text string) error {
	at, err := parseExpiry(text, time.Now())
	*e = expiry(at)
	return err
}

func (e *expiry) String() string { return day(time.Time(*e), "") }
func (*expiry) Type() string     { return "90d|2027-01-01" }

// parseExpiry fails for what is past, too.
func parseExpiry(text string, now time.Time) (time.Time, error) {
	at, err := time.Parse(time.DateOnly, text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n uint64
		n, err = strconv.ParseUint(days, 10, 16)
		at = now.UTC().Truncate(time.Second).AddDate(0, 0, int(n))
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is neither a number of days, such as 90d, nor a day, such as 2027-01-01", text)
	}
	if !at.After(now) {
		return time.Time{}, fmt.Errorf("%s is past", text)
	}
	return at, nil
}
