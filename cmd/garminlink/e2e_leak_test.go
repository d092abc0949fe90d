package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// secrets are all that this stack must keep to itself.
func (s *stack) secrets() finder {
	f := finder{}
	f.add("a secret of Garmin's", s.garmin.Secrets()...)
	f.add("a password of ours", ourPassword)
	f.add("a cookie of ours", s.door.issued()...)
	f.add("key material", keyMaterial(s.t, s.keyset)...)
	return f
}

// leaks looks through everything that programs printed and browsers got.
func (s *stack) leaks() string {
	f := s.secrets()
	found := f.in("an answer", s.door.answers())
	for _, p := range s.programs {
		found = append(found, f.in("the log", p.log.String())...)
	}
	return strings.Join(found, "\n")
}

// keyMaterial is what a keyset holds, apart from its outer form.
func keyMaterial(t testing.TB, keyset string) []string {
	t.Helper()
	var parsed struct {
		Key []struct{ KeyData struct{ Value string } }
	}
	if err := json.Unmarshal([]byte(keyset), &parsed); err != nil || len(parsed.Key) == 0 {
		t.Fatalf("no keys in the keyset: %v", err)
	}
	var values []string
	for _, key := range parsed.Key {
		raw, err := base64.StdEncoding.DecodeString(key.KeyData.Value)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, key.KeyData.Value, string(raw[len(raw)-32:]))
	}
	return values
}

// dump is the whole database as a backup has it.
func (s *stack) dump() string {
	s.t.Helper()
	out, err := exec.Command("pg_dump", "--dbname="+s.db.URL).Output()
	if err != nil {
		s.t.Fatalf("pg_dump: %v", err)
	}
	return string(out)
}

func (d *door) answers() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.out.String()
}

func (d *door) issued() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var values []string
	for value := range d.cookies {
		values = append(values, value)
	}
	return values
}

func TestFinderFindsSecretsInEveryForm(t *testing.T) {
	t.Parallel()
	const secret = `tr"ck&y pass/word+1`
	f := finder{}
	f.add("it", secret)
	for form, text := range disguises(secret) {
		if len(f.in("here", "before "+text+" after")) == 0 {
			t.Errorf("not found %s: %s", form, text)
		}
	}
	for _, text := range []string{"", "tr", secret[:len(secret)-1], strings.Repeat(secret[:gram], 3)} {
		if found := f.in("here", text); len(found) > 0 {
			t.Errorf("found in %q: %s", text, found)
		}
	}
}

// The leak test itself must be able to fail: on each of the three places.
func TestLeaksAreFoundWhereTheyAre(t *testing.T) {
	t.Parallel()
	s := serving(t)
	const planted = "a-planted-secret"
	f := finder{}
	f.add("it", planted)

	p := s.launch([]string{"serve"}, "ADDR="+planted)
	p.exit(t)
	v := s.stranger()
	v.get("/signin?" + planted)
	if _, err := s.db.Pool.Exec(t.Context(), "INSERT INTO cool_downs VALUES (encode($1::text::bytea, 'base64'), now())", planted); err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string]string{"log": p.log.String(), "answers": s.door.answers(), "dump": s.dump()} {
		if len(f.in(where, text)) == 0 {
			t.Errorf("not found in the %s: %.500s", where, text)
		}
	}
}

// Everything a user may do and meet, with passwords and codes that cannot
// stand somewhere by chance.
func TestNothingSecretComesToLight(t *testing.T) {
	t.Parallel()
	s := serving(t, "SIGNUP=open")
	v := s.stranger()
	v.email = "leak@example.com"
	v.post("/signup", "email", v.email, "password", "password1234").want(http.StatusUnprocessableEntity)
	v.post("/signup", "email", v.email, "password", ourPassword).wantRedirect("/link")
	v.post("/signout").wantRedirect("/")
	v.post("/signin", "email", v.email, "password", ourPassword+"-mistyped").want(http.StatusUnprocessableEntity)
	v.signIn()

	plain, mfa := s.newGarminAccount("plain", ""), s.newGarminAccount("code", "email")
	s.linkInEveryWay(v, plain, mfa)
	s.meetEveryRefusal(v, mfa)
	s.loseAndRepair(v, mfa)

	for _, where := range []struct{ name, text string }{{"the backup", s.dump()}, {"the answers", s.door.answers()}} {
		if found := s.secrets().in(where.name, where.text); len(found) > 0 {
			t.Error(strings.Join(found, "\n"))
		}
	}
	if n := len(s.garmin.Secrets()); n < 40 {
		t.Errorf("only %d secrets of Garmin's were in play", n)
	}
}

// newGarminAccount is one whose password and code are long and random.
func (s *stack) newGarminAccount(name, mfa string) garmintest.Account {
	a := garmintest.Account{
		Email: name + "@leak.example", Password: "pw-" + rand.Text(), Region: garmintest.Global,
		MFA: mfa, Code: digits(s.t), FullName: "Leaky " + name,
	}
	s.garmin.Add(a)
	return a
}

// digits is a code of the longest kind.
func digits(t testing.TB) string {
	t.Helper()
	n, err := rand.Int(rand.Reader, big.NewInt(9_000_000_000))
	if err != nil {
		t.Fatal(err)
	}
	return strconv.FormatInt(n.Int64()+1_000_000_000, 10)
}

func (s *stack) linkInEveryWay(v *visitor, plain, mfa garmintest.Account) {
	s.t.Helper()
	try := func(a garmintest.Account, password string) *page { return v.linkWith(a.Email, password, a.Region) }
	try(plain, plain.Password+"-mistyped").want(http.StatusUnprocessableEntity)
	try(plain, plain.Password).wantRedirect("/link")
	s.advance(25 * time.Hour)
	v.post("/link/validate").wantRedirect("/link")

	form := v.follow(try(mfa, mfa.Password).wantRedirect("/link/mfa"))
	v.code(form, digits(s.t)).want(http.StatusUnprocessableEntity)
	v.code(form, "letters-"+mfa.Code).want(http.StatusUnprocessableEntity)
	s.advance(time.Minute)
	v.post("/link/mfa/resend", "challenge", form.value("challenge")).wantRedirect("/link/mfa")
	question := v.follow(v.code(form, mfa.Code).wantRedirect("/link")) // another account
	v.answer(question, "no").wantRedirect("/link")
	s.advance(time.Minute)
	form = v.follow(try(mfa, mfa.Password).wantRedirect("/link/mfa"))
	v.answer(v.follow(v.code(form, mfa.Code)), "yes").wantRedirect("/link")
	s.advance(time.Minute)
	v.htmx("/link").linkWith(mfa.Email, mfa.Password, mfa.Region).want(http.StatusOK)
	v.post("/link/cancel").wantRedirect("/link")
}

func (s *stack) meetEveryRefusal(v *visitor, a garmintest.Account) {
	s.t.Helper()
	for _, r := range garminRefusals {
		if r.fault == nil {
			continue
		}
		s.advance(time.Hour)
		s.garmin.Fail(garmintest.OpLogin, r.fault, 1)
		v.linkWith(a.Email, a.Password, a.Region).want(r.status)
	}
	for _, op := range []garmintest.Op{garmintest.OpExchange, garmintest.OpProfile, garmintest.OpVerify} {
		for _, fault := range []garmintest.Fault{garmintest.Truncated, garmintest.AnswerLost, garmintest.NonJSON} {
			s.advance(time.Hour)
			s.garmin.Fail(op, fault, 1)
			form := v.follow(v.linkWith(a.Email, a.Password, a.Region).wantRedirect("/link/mfa"))
			v.code(form, a.Code)
			v.post("/link/cancel").wantRedirect("/link")
		}
	}
	v.send(http.MethodPost, "/link?email="+a.Email, nil).want(http.StatusUnprocessableEntity)
	v.post("/link/mfa", "code", a.Code, "challenge", "%%%").want(http.StatusConflict)
}

func (s *stack) loseAndRepair(v *visitor, a garmintest.Account) {
	s.t.Helper()
	s.advance(time.Hour)
	form := v.follow(v.linkWith(a.Email, a.Password, a.Region).wantRedirect("/link/mfa"))
	v.code(form, a.Code).wantRedirect("/link")
	s.garmin.Fail(garmintest.OpRefresh, garmintest.AnswerLost, 1)
	s.garmin.ExpireAccessTokens()
	v.post("/link/validate").want(http.StatusServiceUnavailable)
	s.garmin.RevokeAccount(a.Email)
	s.advance(3 * time.Minute)
	v.post("/link/validate")
	s.advance(3 * time.Minute)
	v.post("/link/validate").want(http.StatusUnprocessableEntity).wantState("reauth_needed")
	form = v.follow(v.linkWith(a.Email, a.Password, a.Region).wantRedirect("/link/mfa"))
	v.code(form, a.Code).wantRedirect("/link")
	s.advance(time.Minute)
	v.linkWith(a.Email, a.Password, a.Region).wantRedirect("/link/mfa") // the challenge stays for the backup
}
