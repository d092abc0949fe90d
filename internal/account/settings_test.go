package account_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/account"
)

func signInsOf(t *testing.T, s *account.Service, user uuid.UUID) (ids []uuid.UUID) {
	t.Helper()
	all, err := s.SignIns(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range all {
		if one.CreatedAt.IsZero() || one.SeenAt.Before(one.CreatedAt) {
			t.Errorf("listed as %+v", one)
		}
		ids = append(ids, one.ID)
	}
	return ids
}

func TestSignInsAreListedWhileTheyStand(t *testing.T) {
	t.Parallel()
	s, db := newService(t)
	u := create(t, s)
	other, err := s.Create(t.Context(), "other@example.com", password, account.RoleUser)
	if err != nil {
		t.Fatal(err)
	}
	signIn(t, s, other)
	idle := signIn(t, s, u)
	db.Advance(t, account.IdleLimit-time.Hour)
	phone := signIn(t, s, u)
	db.Advance(t, time.Minute*2)
	desk := signIn(t, s, u)
	if got := signInsOf(t, s, u.ID); len(got) != 3 || got[0] != desk || got[1] != phone || got[2] != idle {
		t.Errorf("listed %v, want %v, %v, %v", got, desk, phone, idle)
	}
	db.Advance(t, time.Hour)
	if err := s.SignOut(t.Context(), phone); err != nil {
		t.Fatal(err)
	}
	if got := signInsOf(t, s, u.ID); len(got) != 1 || got[0] != desk {
		t.Errorf("listed %v, want %v", got, desk)
	}
}

func TestSignOutOthersLeavesThisOne(t *testing.T) {
	t.Parallel()
	s, _ := newService(t)
	u := create(t, s)
	other, err := s.Create(t.Context(), "other@example.com", password, account.RoleUser)
	if err != nil {
		t.Fatal(err)
	}
	theirs := signIn(t, s, other)
	this, phone, desk := signIn(t, s, u), signIn(t, s, u), signIn(t, s, u)
	for _, want := range []int{2, 0} {
		if ended, err := s.SignOutOthers(t.Context(), u.ID, this); err != nil || ended != want {
			t.Errorf("SignOutOthers = %d, %v; want %d", ended, err, want)
		}
	}
	for id, want := range map[uuid.UUID]bool{this: true, theirs: true, phone: false, desk: false} {
		wantSignedIn(t, s, id, false, want)
	}
}

func TestChangePasswordEndsOtherSignIns(t *testing.T) {
	t.Parallel()
	s, _ := newService(t)
	u := create(t, s)
	this, phone := signIn(t, s, u), signIn(t, s, u)
	const better = "tern-gravel-lantern-08"
	for _, c := range []struct {
		old, password string
		want          error
	}{
		{"wrong", better, account.ErrWrongCredentials},
		{"", better, account.ErrWrongCredentials},
		{password, "short", account.ErrPasswordShort},
		{password, email, account.ErrPasswordCommon},
	} {
		if err := s.ChangePassword(t.Context(), u.Email, c.old, c.password, this); !errors.Is(err, c.want) {
			t.Errorf("ChangePassword(%q, %q) = %v, want %v", c.old, c.password, err, c.want)
		}
	}
	wantSignedIn(t, s, phone, false, true)
	if err := s.ChangePassword(t.Context(), u.Email, password, better, this); err != nil {
		t.Fatal(err)
	}
	wantSignedIn(t, s, this, false, true)
	wantSignedIn(t, s, phone, false, false)
	if _, err := s.CheckPassword(t.Context(), email, password); !errors.Is(err, account.ErrWrongCredentials) {
		t.Errorf("the old password: %v", err)
	}
	if _, err := s.CheckPassword(t.Context(), email, better); err != nil {
		t.Errorf("the new password: %v", err)
	}
}

func TestChoicesAreKept(t *testing.T) {
	t.Parallel()
	s, _ := newService(t)
	u := create(t, s)
	id := signIn(t, s, u)
	if err := errors.Join(s.SetNoMail(t.Context(), u.ID, true), s.SetLanguage(t.Context(), u.ID, "zh-Hans")); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Authenticate(t.Context(), id, false); err != nil || !got.NoMail || got.Language != "zh-Hans" {
		t.Errorf("Authenticate = %+v, %v", got, err)
	}
	nobody := uuid.Must(uuid.NewV7())
	if err := s.SetNoMail(t.Context(), nobody, true); !errors.Is(err, account.ErrNotFound) {
		t.Errorf("SetNoMail of nobody: %v", err)
	}
}
