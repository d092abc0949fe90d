package garmin

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxUnix is the last second of the year 9999; later times do not print in the formats that others read.
const maxUnix = 253402300799

// fields are the members of a JSON object from outside. A member of the wrong type reads as absent: what else such an
// object holds, a token above all, must not be lost with it.
type fields map[string]json.RawMessage

func parseFields(b []byte) (fields, bool) {
	var f fields
	err := json.Unmarshal(b, &f)
	return f, err == nil && f != nil
}

func (f fields) text(key string) string   { return textOf(string(f[key])) }
func (f fields) seconds(key string) int64 { return secondsOf(string(f[key])) }

// textOf is a string, or the words of a list of strings; "" stands for anything else.
func textOf(raw string) string {
	if plain, ok := plainText(raw); ok {
		return plain
	}
	var s string
	if json.Unmarshal([]byte(raw), &s) == nil {
		return s
	}
	var list []string
	if json.Unmarshal([]byte(raw), &list) == nil {
		return strings.Join(list, " ")
	}
	return ""
}

// plainText reads what needs no decoder: nothing, null, or a string of ASCII
// without escapes, as tokens are.
func plainText(raw string) (string, bool) {
	if raw == "" || raw == "null" {
		return "", true
	}
	if raw[0] != '"' || strings.ContainsFunc(raw, func(r rune) bool { return r == '\\' || r > '~' }) {
		return "", false
	}
	return raw[1 : len(raw)-1], true
}

// secondsOf is a positive whole number, also one written as a string or a float; 0 stands for anything else.
func secondsOf(raw string) int64 {
	raw = strings.Trim(raw, `"`)
	if n, err := strconv.ParseInt(raw, 10, 64); err == nil {
		return inRange(float64(n))
	}
	n, err := strconv.ParseFloat(raw, 64)
	if err != nil || math.IsNaN(n) {
		return 0
	}
	return inRange(n)
}

func inRange(n float64) int64 {
	if n < 1 || n > maxUnix {
		return 0
	}
	return int64(n)
}

// claims are what an access token says of itself. Garmin's signature cannot be checked here, so they decide nothing
// but when to ask Garmin again, and whom a page names.
type claims struct {
	expires  time.Time // zero: not said
	issued   time.Time // zero: not said
	region   Region    // of the issuer, "" when it is none of Garmin's
	guid     string
	clientID string
	jti      string
	scope    string
}

// parseClaims never fails: a token that is no JWT has no claims.
func parseClaims(token string) claims {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return claims{}
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return claims{}
	}
	f, ok := parseFields(payload)
	if !ok {
		return claims{}
	}
	return claims{
		expires:  unixTime(f.seconds("exp")),
		issued:   unixTime(f.seconds("iat")),
		region:   issuerRegion(f.text("iss")),
		guid:     cleanID(f.text("garmin_guid")),
		clientID: cleanID(f.text("client_id")),
		jti:      f.text("jti"),
		scope:    f.text("scope"),
	}
}

// issuerRegion reads an issuer: the address of the region's token service.
func issuerRegion(iss string) Region {
	u, err := url.Parse(iss)
	if err != nil || u.Scheme != "https" {
		return ""
	}
	for _, r := range []Region{RegionGlobal, RegionChina} {
		if under(u.Hostname(), string(r)) {
			return r
		}
	}
	return ""
}

func unixTime(secs int64) time.Time {
	if secs == 0 {
		return time.Time{}
	}
	return time.Unix(secs, 0).UTC()
}

// cleanID lets an identifier pass that has the shape of Garmin's: at most 128 letters, digits, hyphens, underscores.
func cleanID(s string) string {
	ok := len(s) <= 128 && strings.Trim(s, "-_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == ""
	if !ok {
		return ""
	}
	return s
}
