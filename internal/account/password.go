package account

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Lengths of a password in characters (NIST SP 800-63B, 3.1.1.2): Unicode code
// points after normalisation.
const (
	MinPassword = 10
	MaxPassword = 128
)

// A password needs this many different characters, and this many beside the
// user's own address or the name of this program.
const (
	minDistinct = 5
	minBeside   = 4
)

//go:embed common_passwords.txt
var commonPasswords string

var common = sync.OnceValue(func() map[string]struct{} {
	set := map[string]struct{}{}
	for line := range strings.Lines(commonPasswords) {
		if !strings.HasPrefix(line, "#") {
			set[strings.TrimSpace(line)] = struct{}{}
		}
	}
	return set
})

// runs are what a hand types along keyboards and alphabets.
var runs = []string{"abcdefghijklmnopqrstuvwxyz", "012345678901234567890", "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm"}

var plainLetters = strings.NewReplacer("@", "a", "4", "a", "3", "e", "1", "i", "!", "i", "0", "o", "$", "s", "5", "s", "7", "t")

// normalPassword is what is hashed: the same for all the ways in which
// keyboards encode the same characters.
func normalPassword(s string) string { return norm.NFKC.String(s) }

// checkPassword fails with the reason why a new password is refused. Both
// arguments are normal.
func checkPassword(password, email string) error {
	switch length := utf8.RuneCountInString(password); {
	case length < MinPassword:
		return ErrPasswordShort
	case length > MaxPassword:
		return ErrPasswordLong
	case easilyGuessed(strings.ToLower(password), email):
		return ErrPasswordCommon
	default:
		return nil
	}
}

func easilyGuessed(password, email string) bool {
	local, _, _ := strings.Cut(email, "@")
	return distinct(password) < minDistinct ||
		isRun(password) ||
		isCommon(password) ||
		isMostly(password, email) || isMostly(password, local) || isMostly(password, "garminlink") || isMostly(password, "garmin")
}

func distinct(s string) int {
	seen := []rune(s)
	slices.Sort(seen)
	return len(slices.Compact(seen))
}

func isRun(s string) bool {
	backwards := []rune(s)
	slices.Reverse(backwards)
	return slices.ContainsFunc(runs, func(run string) bool {
		return strings.Contains(run, s) || strings.Contains(run, string(backwards))
	})
}

// isCommon also finds a common word with digits and marks around it, or in the
// place of letters.
func isCommon(s string) bool {
	stem := strings.TrimFunc(s, func(r rune) bool { return !unicode.IsLetter(r) })
	return slices.ContainsFunc([]string{s, stem, plainLetters.Replace(stem)}, func(word string) bool {
		_, found := common()[word]
		return found
	})
}

// isMostly reports whether little is left of s without a word. Words of one or
// two letters say nothing.
func isMostly(s, word string) bool {
	if len(word) < 3 || !strings.Contains(s, word) {
		return false
	}
	return utf8.RuneCountInString(strings.ReplaceAll(s, word, "")) < minBeside
}
