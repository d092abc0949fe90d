package garmintest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/big"
	"strings"
)

// The two regions, each with users of its own.
const (
	Global = "garmin.com"
	China  = "garmin.cn"
)

// DemoPassword and DemoCode open every demo account.
const (
	DemoPassword = "garmin-demo-1"
	DemoCode     = "123456"
)

// Account is one simulated user of Garmin.
type Account struct {
	Email    string
	Password string
	Region   string // Global or China; empty means Global
	MFA      string // "", "email", "sms" or "totp"
	Code     string // the code that is always right; empty means a random one for each login, see LastCode
	Locked   bool
	Captcha  bool
	Child    bool

	// Flows are those by which the account can sign in, "ios", "android", "widget" or "portal", others answer it with
	// error 427; nil means all.
	Flows []string
	// CodeOnRequest keeps the widget's code back until it is asked for.
	CodeOnRequest bool
	// Refused makes the API refuse every token of the account, fresh ones included.
	Refused bool

	// Identity; what is empty follows from region and e-mail.
	GUID        string
	ProfileID   int64
	DisplayName string
	FullName    string
}

// DemoAccounts are the accounts that every Server knows: one for each way in which a sign-in can end.
func DemoAccounts() []Account {
	demo := func(name, fullName string, change func(*Account)) Account {
		a := Account{
			Email: name + "@garmin.example", Password: DemoPassword, Region: Global, Code: DemoCode,
			DisplayName: name + "-runner", FullName: fullName,
		}
		change(&a)
		return a
	}
	return []Account{
		demo("plain", "Pia Plain", func(*Account) {}),
		demo("mfa", "Max Mail", func(a *Account) { a.MFA = "email" }),
		demo("sms", "Sam Text", func(a *Account) { a.MFA = "sms" }),
		demo("totp", "Toni App", func(a *Account) { a.MFA = "totp" }),
		demo("locked", "Lou Locked", func(a *Account) { a.Locked = true }),
		demo("captcha", "Cat Puzzle", func(a *Account) { a.Captcha = true }),
		demo("child", "Kim Young", func(a *Account) { a.Child = true }),
		demo("china", "Chen Run", func(a *Account) { a.Region = China }),
	}
}

// account is an Account and what happened to it.
type account struct {
	Account

	lastCode    string
	grantEpoch  int // of its refresh tokens
	accessEpoch int // of its access tokens
}

func accountKey(region, email string) string { return region + "/" + strings.ToLower(email) }

// Add adds an account, or replaces the one with the same region and e-mail; its tokens stay good.
func (s *Server) Add(a Account) {
	s.lock()
	defer s.mu.Unlock()
	s.add(a)
}

func (s *Server) add(a Account) {
	if a.Region == "" {
		a.Region = Global
	}
	sum := sha256.Sum256([]byte(accountKey(a.Region, a.Email)))
	if a.GUID == "" {
		a.GUID = newUUID(sum[:16])
	}
	if a.ProfileID == 0 {
		a.ProfileID = int64(binary.BigEndian.Uint32(sum[16:]))
	}
	if a.DisplayName == "" {
		a.DisplayName, _, _ = strings.Cut(a.Email, "@")
	}
	if a.FullName == "" {
		a.FullName = a.DisplayName
	}
	s.note(a.Password, a.Code)
	key := accountKey(a.Region, a.Email)
	if old, ok := s.accounts[key]; ok {
		old.Account = a
		return
	}
	s.accounts[key] = &account{Account: a}
}

// SetPassword changes the password of an account, as its owner could at Garmin; tokens stay good.
func (s *Server) SetPassword(email, password string) {
	s.change(email, func(a *account) { a.Password = password })
	s.lock()
	defer s.mu.Unlock()
	s.note(password)
}

// KillGrants makes Garmin refuse every refresh token that an account has now; access tokens live on.
func (s *Server) KillGrants(email string) {
	s.change(email, func(a *account) { a.grantEpoch++ })
}

// RevokeAccount makes Garmin refuse every token that an account has now, as after a change of password with "sign
// out everywhere".
func (s *Server) RevokeAccount(email string) {
	s.change(email, func(a *account) { a.grantEpoch++; a.accessEpoch++ })
}

// ExpireAccessTokens makes the API refuse every access token given out so far; refresh tokens stay good.
func (s *Server) ExpireAccessTokens() {
	s.lock()
	defer s.mu.Unlock()
	s.epoch++
}

// LastCode returns the code of the account's latest challenge, "" when there was none.
func (s *Server) LastCode(email string) string {
	var code string
	s.change(email, func(a *account) { code = a.lastCode })
	return code
}

func (s *Server) change(email string, f func(*account)) {
	s.lock()
	defer s.mu.Unlock()
	for _, region := range []string{Global, China} {
		if a, ok := s.accounts[accountKey(region, email)]; ok {
			f(a)
		}
	}
}

// newCode draws a code for an account and notes it.
func (s *Server) newCode(a *account) string {
	code := a.Code
	if code == "" {
		n, _ := rand.Int(rand.Reader, big.NewInt(1_000_000))
		code = fmt.Sprintf("%06d", n)
	}
	a.lastCode = code
	s.note(code)
	return code
}

// Describe says in a few words how a sign-in to the account ends.
func (a Account) Describe() string {
	switch {
	case a.Locked:
		return "locked"
	case a.Captcha:
		return "asks for a captcha"
	case a.Child:
		return "managed by a parent"
	case a.MFA != "":
		return "asks for a code by " + a.MFA
	}
	return "signs in at once"
}
