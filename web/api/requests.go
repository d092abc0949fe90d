package api

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/garminlink/garminlink/internal/account"
)

// The bounds of openapi.yaml.
const (
	defaultMinTTL = 900
	maxMinTTL     = 21600
	maxReports    = 500
	maxEmail      = 254
	maxReturnURL  = 2048
	minState      = 8
	maxState      = 512
	maxLocale     = 35
	maxCode       = 255
)

// languageTag is of the form of BCP 47, or of POSIX's de_DE. Whether there is such
// a language does not matter: pages speak another one then.
var languageTag = regexp.MustCompile(`^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$`)

// faults are what is wrong with a body.
type faults []FieldError

func (f *faults) add(field, detail string) { *f = append(*f, FieldError{Field: field, Detail: detail}) }

// text is for required texts, of so many characters.
func (f *faults) text(field, value string, least, most int) {
	switch n := utf8.RuneCountInString(value); {
	case n == 0:
		f.add(field, "is required")
	case n < least || n > most:
		f.add(field, "must have "+strconv.Itoa(least)+" to "+strconv.Itoa(most)+" characters")
	case strings.ContainsRune(value, 0):
		f.add(field, "must not hold U+0000")
	}
}

// among is for required values of an enumeration.
func among[T ~string](f *faults, field string, value T, all ...T) {
	if slices.Contains(all, value) {
		return
	}
	if value == "" {
		f.add(field, "is required")
		return
	}
	f.add(field, mustBeOneOf(all))
}

func mustBeOneOf[T ~string](all []T) string {
	var names []string
	for _, v := range all {
		names = append(names, string(v))
	}
	return "must be one of " + strings.Join(names, ", ")
}

func (f *faults) ref(field string, value UserRef) {
	if value == "" {
		f.add(field, "is required")
	} else if _, err := account.ParseUserRef(value); err != nil {
		f.add(field, notARef)
	}
}

func (f *faults) email(value *string) {
	if value != nil && (*value == "" || len(*value) > maxEmail) {
		f.add("email", notAnEmail)
	}
}

const notAnEmail = "must be an e-mail address"

// address is for required URLs that a browser can be sent to.
func (f *faults) address(field, value string) {
	if f.text(field, value, 1, maxReturnURL); value == "" {
		return
	}
	if u, err := url.Parse(value); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		f.add(field, "must be an address that begins with https://")
	}
}

func (f *faults) outcome(generation int64, outcome Outcome) {
	if generation < 1 {
		f.add("generation", "must be a generation that was checked out")
	}
	among(f, "outcome", outcome, OutcomeOk, OutcomeUnauthorized, OutcomeRateLimited)
}

func (r *CheckOutRequest) faults() (f faults) {
	among(&f, "format", r.Format, FormatGarth, FormatGarminconnect, FormatBearer)
	if r.MinTTL != nil && (*r.MinTTL < 0 || *r.MinTTL > maxMinTTL) {
		f.add("min_ttl", "must be from 0 to "+strconv.Itoa(maxMinTTL))
	}
	return f
}

func (r *ReportRequest) faults() (f faults) {
	f.outcome(r.Generation, r.Outcome)
	return f
}

// faults leaves each report to be judged alone.
func (r *ReportsRequest) faults() (f faults) {
	if len(r.Reports) == 0 || len(r.Reports) > maxReports {
		f.add("reports", "must be 1 to "+strconv.Itoa(maxReports)+" reports")
	}
	return f
}

func (r *ReportFor) faults() (f faults) {
	f.ref("user", r.User)
	f.outcome(r.Generation, r.Outcome)
	return f
}

func (r *SessionRequest) faults() (f faults) {
	if r.Session == "" {
		f.add("session", "is required")
	}
	f.email(r.Email)
	return f
}

func (r *ConnectSessionRequest) faults() (f faults) {
	f.ref("user", r.User)
	f.email(r.Email)
	f.address("return_url", r.ReturnURL)
	f.text("state", r.State, minState, maxState)
	if r.Region != nil {
		among(&f, "region", *r.Region, RegionGarminCom, RegionGarminCn)
	}
	if r.Locale != nil && (len(*r.Locale) > maxLocale || !languageTag.MatchString(*r.Locale)) {
		f.add("locale", "must be a language tag such as en-GB")
	}
	among(&f, "purpose", r.Purpose, PurposeLink, PurposeRelink)
	return f
}

func (r *CompletionRequest) faults() (f faults) {
	f.text("code", r.Code, 1, maxCode)
	return f
}
