package account_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/account"
)

func TestParseUserRef(t *testing.T) {
	t.Parallel()
	const id = "0195a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"
	for _, c := range []struct {
		text     string
		id       string
		external string
	}{
		{text: id, id: id},
		{text: strings.ToUpper(id), id: id},
		{text: "ext:42", external: "42"},
		{text: "ext:auth0|5f7c8ec7c33c6c004bbafe82", external: "auth0|5f7c8ec7c33c6c004bbafe82"},
		{text: "ext:Jürgen Müller/7", external: "Jürgen Müller/7"},
		{text: "ext:ext:42", external: "ext:42"},
		{text: "ext: 42 ", external: " 42 "},
		{text: "ext:" + strings.Repeat("ж", 255), external: strings.Repeat("ж", 255)},
	} {
		ref, err := account.ParseUserRef(c.text)
		if err != nil || ref.ExternalID() != c.external || (c.id != "") != (ref.ID().String() == c.id) {
			t.Errorf("ParseUserRef(%q) = %+v, %v", c.text, ref, err)
		}
	}
	for _, text := range []string{
		"", "42", "ext", "ext:", "EXT:42", "ext:a\nb", "ext:a\x00b", "ext:a\u202eb", "ext:a\u200bb", "ext:\xff", "ext:\u00a042",
		"ext:" + strings.Repeat("a", 256), "{" + id + "}", "urn:uuid:" + id, strings.ReplaceAll(id, "-", ""), id + " ",
		uuid.Nil.String(),
	} {
		if ref, err := account.ParseUserRef(text); !errors.Is(err, account.ErrInvalidRef) || ref != (account.UserRef{}) {
			t.Errorf("ParseUserRef(%q) = %+v, %v", text, ref, err)
		}
	}
}

func TestRefsFindTheirUsers(t *testing.T) {
	t.Parallel()
	s, _ := newService(t)
	_, secret := createToken(t, s, account.NewToken{})
	own := create(t, s)
	host, err := s.EnsureExternal(t.Context(), "Host-1", "")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]uuid.UUID{
		own.ID.String():                  own.ID,
		host.ID.String():                 host.ID,
		"ext:Host-1":                     host.ID,
		"ext:host-1":                     uuid.Nil,
		"ext:" + host.ID.String():        uuid.Nil,
		"ext:" + email:                   uuid.Nil,
		uuid.Must(uuid.NewV7()).String(): uuid.Nil,
	} {
		ref, err := account.ParseUserRef(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Authorize(t.Context(), secret, ref)
		if got.User != want || (want == uuid.Nil) != errors.Is(err, account.ErrNotFound) || got.Token == uuid.Nil {
			t.Errorf("Authorize with %s: %+v, %v; want %v", text, got, err, want)
		}
	}
}

func TestEnsureExternalMakesAUserOnce(t *testing.T) {
	t.Parallel()
	s, _ := newService(t)
	own := create(t, s)
	ensure := func(email, want string) account.User {
		t.Helper()
		u, err := s.EnsureExternal(t.Context(), "host-1", email)
		if err != nil || u.Email != want || u.ExternalID != "host-1" || u.Role != account.RoleUser {
			t.Fatalf("EnsureExternal = %+v, %v; want %q", u, err, want)
		}
		return u
	}
	first := ensure("", "")
	for _, again := range []account.User{
		ensure(" Runner@Example.com", email), // the address of a user of ours
		ensure("", email),
		ensure("walker@example.com", "walker@example.com"),
	} {
		if again.ID != first.ID || again.ID == own.ID {
			t.Errorf("another user: %v, %v", again, first)
		}
	}
	if u, err := s.CheckPassword(t.Context(), email, password); err != nil || u != own {
		t.Errorf("the user of ours is %+v, %v", u, err)
	}
	if _, err := s.CheckPassword(t.Context(), "walker@example.com", ""); !errors.Is(err, account.ErrWrongCredentials) {
		t.Errorf("CheckPassword = %v", err)
	}
}

func TestEnsureExternalRefuses(t *testing.T) {
	t.Parallel()
	s, _ := newService(t)
	for _, c := range []struct {
		id, email string
		want      error
	}{
		{"", email, account.ErrInvalidRef},
		{"a\x7fb", email, account.ErrInvalidRef},
		{"host-1", "not an address", account.ErrInvalidEmail},
	} {
		if _, err := s.EnsureExternal(t.Context(), c.id, c.email); !errors.Is(err, c.want) {
			t.Errorf("EnsureExternal(%q, %q) = %v, want %v", c.id, c.email, err, c.want)
		}
	}
}

func TestManyEnsureTheSameUser(t *testing.T) {
	t.Parallel()
	s, _ := newService(t)
	var all sync.WaitGroup
	users := make(chan account.User, 16)
	for range cap(users) {
		all.Go(func() {
			u, err := s.EnsureExternal(t.Context(), "host-1", email)
			if err != nil {
				t.Error(err)
			}
			users <- u
		})
	}
	all.Wait()
	close(users)
	first := <-users
	for u := range users {
		if u != first {
			t.Errorf("%+v and %+v", first, u)
		}
	}
}

func FuzzParseUserRef(f *testing.F) {
	for _, seed := range []string{"", "ext:42", "ext:\x00", "0195a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b", "ext:ext:"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ref, err := account.ParseUserRef(text)
		if err != nil {
			if !errors.Is(err, account.ErrInvalidRef) || ref != (account.UserRef{}) {
				t.Errorf("%q: %v, %v", text, ref, err)
			}
			return
		}
		if !strings.EqualFold(ref.String(), text) || (ref.ExternalID() == "") == (ref.ID() == uuid.Nil) ||
			ref.ExternalID() != "" && ref.String() != text || strings.ContainsFunc(text, unicode.IsControl) {
			t.Errorf("%q is read as %+v", text, ref)
		}
	})
}
