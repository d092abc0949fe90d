package account_test

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/account"
)

func TestFindKnowsUsersByEachOfTheirNames(t *testing.T) {
	t.Parallel()
	s, _ := newService(t)
	own, err := s.Create(t.Context(), "runner@example.com", "tern-gravel-lantern-08", account.RoleUser)
	if err != nil {
		t.Fatal(err)
	}
	// His contact data are another's e-mail address.
	external, err := s.EnsureExternal(t.Context(), "42", "runner@example.com")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]account.User{
		own.ID.String(): own.User, external.ID.String(): external, "ext:42": external,
	} {
		ref, err := account.ParseUserRef(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Find(t.Context(), ref); err != nil || got != want {
			t.Errorf("Find(%s) = %+v, %v, want %+v", text, got, err, want)
		}
	}
	if got, err := s.FindByEmail(t.Context(), " Runner@example.com"); err != nil || got != own.User {
		t.Errorf("FindByEmail = %+v, %v, want %+v", got, err, own)
	}
}

func TestFindFailsForNobody(t *testing.T) {
	t.Parallel()
	s, _ := newService(t)
	if _, err := s.EnsureExternal(t.Context(), "42", "contact@example.com"); err != nil {
		t.Fatal(err)
	}
	for _, ref := range []account.UserRef{{}, account.RefOf(uuid.Must(uuid.NewV7()))} {
		if u, err := s.Find(t.Context(), ref); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("Find(%q) = %+v, %v", ref, u, err)
		}
	}
	if u, err := s.FindByEmail(t.Context(), "contact@example.com"); !errors.Is(err, account.ErrNotFound) {
		t.Errorf("FindByEmail of contact data = %+v, %v", u, err)
	}
	if _, err := s.FindByEmail(t.Context(), "nobody"); !errors.Is(err, account.ErrInvalidEmail) {
		t.Errorf("FindByEmail(nobody): %v", err)
	}
}
