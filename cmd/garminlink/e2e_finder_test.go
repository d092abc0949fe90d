package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strings"
)

// gram is the shortest secret that is searched for: what is shorter, such as
// the demo accounts' code, stands in timestamps and numbers by chance.
const gram = 8

// needle is a secret in one of the forms in which it may come to light.
type needle struct{ what, form, text string }

// finder searches for many secrets at once.
type finder map[string][]needle // by their first letters

func (f finder) add(what string, secrets ...string) {
	for _, secret := range secrets {
		if len(secret) < gram {
			continue
		}
		for form, text := range disguises(secret) {
			f[text[:gram]] = append(f[text[:gram]], needle{what, form, text})
		}
	}
}

// disguises are the forms of a secret: as it is, escaped for where it may
// stand, and encoded, also in the middle of something larger.
func disguises(secret string) map[string]string {
	quoted, _ := json.Marshal(secret) // strings always marshal
	forms := map[string]string{
		"as it is":     secret,
		"in JSON":      strings.Trim(string(quoted), `"`),
		"in HTML":      html.EscapeString(secret),
		"in a URL":     url.QueryEscape(secret),
		"in lower hex": hex.EncodeToString([]byte(secret)),
		"in upper hex": strings.ToUpper(hex.EncodeToString([]byte(secret))),
	}
	for offset := range 3 {
		for name, encoding := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "URL base64": base64.RawURLEncoding} {
			if text := middleOf(encoding, secret, offset); len(text) >= gram {
				forms[fmt.Sprintf("in %s, offset %d", name, offset)] = text
			}
		}
	}
	return forms
}

// middleOf encodes a secret that begins somewhere within a longer text, and
// leaves out the letters that depend on its neighbours.
func middleOf(encoding *base64.Encoding, secret string, offset int) string {
	text := encoding.EncodeToString([]byte(strings.Repeat("x", offset) + secret))
	first := (offset*8 + 5) / 6
	last := (offset + len(secret)) * 8 / 6
	return text[first:last]
}

// in tells what of the secrets stands in a text, once each.
func (f finder) in(where, text string) (found []string) {
	seen := map[needle]bool{}
	for i := 0; i+gram <= len(text); i++ {
		for _, n := range f[text[i:i+gram]] {
			if !seen[n] && strings.HasPrefix(text[i:], n.text) {
				seen[n] = true
				found = append(found, fmt.Sprintf("%s: %s %s, in %q", where, n.what, n.form, text[max(0, i-80):i]))
			}
		}
	}
	return found
}
