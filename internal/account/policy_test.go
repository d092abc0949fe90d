package account

import (
	"errors"
	"strings"
	"testing"
)

func TestNormalEmail(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"runner@example.com", "runner@example.com"},
		{"  Runner@Example.COM\n", "runner@example.com"},
		{"o'neill+run@sub.example.com", "o'neill+run@sub.example.com"},
		{"runner@xn--lufer-gra.example", "runner@xn--lufer-gra.example"},
		{"", ""},
		{"runner", ""},
		{"runner@", ""},
		{"@example.com", ""},
		{"a@b@example.com", ""},
		{"Runner <runner@example.com>", ""},
		{`"a b"@example.com`, ""},
		{"runner@example.com, walker@example.com", ""},
		{"run\x00ner@example.com", ""},
		{"läufer@example.com", ""},
		{"runner@exаmple.com", ""}, // the Cyrillic letter
		{strings.Repeat("a", 250) + "@a.bc", ""},
	} {
		got, err := NormalEmail(c.in)
		if got != c.want || (c.want == "") != errors.Is(err, ErrInvalidEmail) {
			t.Errorf("NormalEmail(%q) = %q, %v; want %q", c.in, got, err, c.want)
		}
	}
}

func TestCheckPassword(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		password string
		want     error
	}{
		{"correct horse battery", nil},
		{"kJ8#vQ2!xz", nil},
		{"пробежка-утром", nil},
		{"garminlink-demo", nil},
		{strings.Repeat("aB3$e", 25) + "xyz", nil},

		{"", ErrPasswordShort},
		{"kJ8#vQ2!x", ErrPasswordShort},
		{"üüüüüüüüü", ErrPasswordShort}, // nine characters, eighteen bytes
		{strings.Repeat("aB3$e", 25) + "wxyz", ErrPasswordLong},

		{"qwertyuiop", ErrPasswordCommon},
		{"PassWord123", ErrPasswordCommon},
		{"P@ssw0rd!!", ErrPasswordCommon},
		{"football2024!", ErrPasswordCommon},
		{"aaaaaaaaaaaa", ErrPasswordCommon},
		{"abababababab", ErrPasswordCommon},
		{"9876543210", ErrPasswordCommon},
		{"fghjklzxcvbn", ErrPasswordCommon},
		{"runner.anna@example.com", ErrPasswordCommon},
		{"Runner.Anna1", ErrPasswordCommon},
		{"garminlink1", ErrPasswordCommon},
		{"GarminGarmin99", ErrPasswordCommon},
	} {
		err := checkPassword(normalPassword(c.password), "runner.anna@example.com")
		if !errors.Is(err, c.want) || err != nil && c.want == nil {
			t.Errorf("checkPassword(%q) = %v, want %v", c.password, err, c.want)
		}
	}
}

func TestPasswordsAreTheSameOnEveryKeyboard(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ one, other string }{
		{"l\u00e4ufer am morgen", "la\u0308ufer am morgen"}, // ä: one code point, two
		{"１２３４ runs", "1234 runs"},                          // full width
	} {
		if normalPassword(c.one) != normalPassword(c.other) {
			t.Errorf("%q and %q differ", c.one, c.other)
		}
	}
}

func FuzzNormalEmail(f *testing.F) {
	f.Add("runner@example.com")
	f.Add(" A@B.c ")
	f.Fuzz(func(t *testing.T, s string) {
		once, err := NormalEmail(s)
		if err != nil {
			return
		}
		if twice, err := NormalEmail(once); err != nil || twice != once {
			t.Errorf("%q is normalised to %q, and that to %q (%v)", s, once, twice, err)
		}
	})
}
