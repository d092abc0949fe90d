package account_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/account"
)

func TestRolesAreGivenToOthers(t *testing.T) {
	t.Parallel()
	s, db := newService(t)
	admin, err := s.Create(t.Context(), "admin@example.com", "tern-gravel-lantern-08", account.RoleAdmin)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create(t.Context(), "agent@example.com", "tern-gravel-lantern-08", account.RoleUser); err != nil {
		t.Fatal(err)
	}
	if _, err := s.EnsureExternal(t.Context(), "42", "guest@example.com"); err != nil {
		t.Fatal(err)
	}
	for email, want := range map[string]error{
		"Admin@example.com": account.ErrOwnRole, "guest@example.com": account.ErrNotFound, "nobody": account.ErrInvalidEmail,
	} {
		if _, err := s.SetRole(t.Context(), account.RoleChange{By: admin.ID, Email: email, Role: account.RoleSupport}); !errors.Is(err, want) {
			t.Errorf("SetRole(%s): %v, want %v", email, err, want)
		}
	}
	if u, err := s.SetRole(t.Context(), account.RoleChange{By: admin.ID, RequestID: "r1", Email: "Agent@example.com", Role: account.RoleSupport}); err != nil || u.Role != account.RoleSupport {
		t.Errorf("SetRole = %+v, %v", u, err)
	}
	staff, err := s.Staff(t.Context())
	if err != nil || len(staff) != 2 || staff[0] != admin.User || staff[1].Email != "agent@example.com" {
		t.Errorf("staff are %+v, %v", staff, err)
	}
	if _, err := db.Pool.Exec(t.Context(), "UPDATE users SET role = 'user' WHERE email = 'agent@example.com'"); err != nil { // by hand
		t.Fatal(err)
	}
	records, err := s.RoleRecords(t.Context(), 9)
	if err != nil {
		t.Fatal(err)
	}
	for i := range records {
		if records[i].At.IsZero() {
			t.Errorf("%+v has no time", records[i])
		}
		records[i].At = time.Time{}
	}
	want := []account.RoleRecord{
		{Email: "agent@example.com", From: account.RoleSupport, To: account.RoleUser},
		{Email: "agent@example.com", From: account.RoleUser, To: account.RoleSupport, By: admin.Email, RequestID: "r1"},
		{Email: admin.Email, To: account.RoleAdmin},
	}
	if !slices.Equal(records, want) {
		t.Errorf("on record are %+v, want %+v", records, want)
	}
}

func TestAnAdminIsAlwaysLeft(t *testing.T) {
	t.Parallel()
	s, _ := newService(t)
	var admins []account.Proof
	for _, email := range []string{"one@example.com", "other@example.com"} {
		u, err := s.Create(t.Context(), email, "tern-gravel-lantern-08", account.RoleAdmin)
		if err != nil {
			t.Fatal(err)
		}
		admins = append(admins, u)
	}
	errs := make([]error, 2)
	var both sync.WaitGroup
	for i := range admins { // each ends the other
		both.Go(func() {
			_, errs[i] = s.SetRole(t.Context(), account.RoleChange{By: admins[i].ID, Email: admins[1-i].Email, Role: account.RoleUser})
		})
	}
	both.Wait()
	staff, err := s.Staff(t.Context())
	if err != nil || len(staff) != 1 || (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), account.ErrLastAdmin) {
		t.Errorf("left are %+v, %v: %v", staff, err, errs)
	}
}
