package account

import (
	"net/mail"
	"strings"
)

const maxEmail = 254 // RFC 5321, 4.5.3.1.3, without the brackets

// NormalEmail returns an address as it is stored and compared. It takes what
// browsers send for a field of type email: ASCII, with an international domain
// in its xn-- form. So no two addresses look alike and differ.
func NormalEmail(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	address, err := mail.ParseAddress(s)
	if err != nil || address.Address != s || len(s) > maxEmail || !isASCII(s) {
		return "", ErrInvalidEmail
	}
	return s, nil
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 127 })
}
