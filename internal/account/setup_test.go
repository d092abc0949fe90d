package account_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/account"
)

func setUpToken(t *testing.T, s *account.Service) account.Secret {
	t.Helper()
	token, err := s.NewSetUpToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func wantSetUpOpen(t *testing.T, s *account.Service, want bool) {
	t.Helper()
	if open, err := s.SetUpOpen(t.Context()); err != nil || open != want {
		t.Errorf("SetUpOpen = %v, %v; want %v", open, err, want)
	}
}

func TestSetUpNeedsTheNewestToken(t *testing.T) {
	t.Parallel()
	s, db := newService(t)
	refused := func(token account.Secret, want error) {
		t.Helper()
		if u, err := s.SetUp(t.Context(), token, email, password); !errors.Is(err, want) || u != (account.Proof{}) {
			t.Errorf("SetUp = %+v, %v; want %v", u, err, want)
		}
	}
	refused("", account.ErrSetUpToken)
	former := setUpToken(t, s)
	token := setUpToken(t, s)
	for _, wrong := range []account.Secret{former, "", "gls_", token + "a", token[:len(token)-1], account.Secret("glt_" + string(token[4:]))} {
		refused(wrong, account.ErrSetUpToken)
	}
	db.Advance(t, 24*time.Hour+time.Minute)
	refused(token, account.ErrSetUpToken)
	wantSetUpOpen(t, s, true)

	token = setUpToken(t, s)
	var row string
	if err := db.Pool.QueryRow(t.Context(), "SELECT row_to_json(t)::text FROM set_up t").Scan(&row); err != nil || strings.Contains(row, token.Reveal()) {
		t.Errorf("the row is %s, %v", row, err)
	}
	if said := fmt.Sprint(token); strings.Contains(said, token.Reveal()) {
		t.Errorf("the token prints as %s", said)
	}
	admin, err := s.SetUp(t.Context(), token, " Admin@example.com", password)
	if err != nil || admin.Email != "admin@example.com" || admin.Role != account.RoleAdmin {
		t.Fatalf("SetUp = %+v, %v", admin, err)
	}
	if found, err := s.CheckPassword(t.Context(), "admin@example.com", password); err != nil || found != admin {
		t.Errorf("CheckPassword = %+v, %v; want %+v", found, err, admin)
	}
	wantSetUpOpen(t, s, false)
	refused(token, account.ErrSetUpDone)
	refused("", account.ErrSetUpDone)
	if _, err := s.NewSetUpToken(t.Context()); !errors.Is(err, account.ErrSetUpDone) {
		t.Errorf("NewSetUpToken = %v", err)
	}
}

func TestAFaultOfTheFormLeavesTheToken(t *testing.T) {
	t.Parallel()
	s, _ := newService(t)
	create(t, s)
	token := setUpToken(t, s)
	for _, c := range []struct {
		email, password string
		want            error
	}{
		{"admin", password, account.ErrInvalidEmail},
		{"admin@example.com", "short", account.ErrPasswordShort},
		{email, password, account.ErrEmailTaken},
	} {
		if _, err := s.SetUp(t.Context(), token, c.email, c.password); !errors.Is(err, c.want) {
			t.Errorf("SetUp(%s, %s) = %v, want %v", c.email, c.password, err, c.want)
		}
	}
	wantSetUpOpen(t, s, true)
	if _, err := s.SetUp(t.Context(), token, "admin@example.com", password); err != nil {
		t.Error(err)
	}
}

func TestManySetUpsMakeOneAdmin(t *testing.T) {
	t.Parallel()
	s, db := newService(t)
	token := setUpToken(t, s)
	results := make(chan error, 8)
	var all sync.WaitGroup
	for i := range cap(results) {
		all.Go(func() {
			_, err := s.SetUp(t.Context(), token, fmt.Sprintf("admin%d@example.com", i), password)
			results <- err
		})
	}
	all.Wait()
	close(results)
	made := 0
	for err := range results {
		if err == nil {
			made++
		} else if !errors.Is(err, account.ErrSetUpDone) {
			t.Error(err)
		}
	}
	var users int
	if err := db.Pool.QueryRow(t.Context(), "SELECT count(*) FROM users").Scan(&users); err != nil || made != 1 || users != 1 {
		t.Errorf("%d were told that they are the admin, and there are %d users (%v)", made, users, err)
	}
}

func TestEveryFirstAdminClosesTheSetUpForEver(t *testing.T) {
	t.Parallel()
	for name, arrive := range map[string]string{
		"made":     "INSERT INTO users (id, email, password_hash, role) VALUES ($1, 'admin@example.com', 'x', 'admin')",
		"promoted": "WITH u AS (SELECT $1::uuid) UPDATE users SET role = 'admin' WHERE email = '" + email + "'",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, db := newService(t)
			create(t, s)
			wantSetUpOpen(t, s, true)
			token := setUpToken(t, s)
			if _, err := db.Pool.Exec(t.Context(), arrive, uuid.Must(uuid.NewV7())); err != nil {
				t.Fatal(err)
			}
			wantSetUpOpen(t, s, false)
			if _, err := db.Pool.Exec(t.Context(), "DELETE FROM users"); err != nil {
				t.Fatal(err)
			}
			wantSetUpOpen(t, s, false)
			if _, err := s.SetUp(t.Context(), token, "late@example.com", password); !errors.Is(err, account.ErrSetUpDone) {
				t.Errorf("SetUp = %v", err)
			}
		})
	}
}

func TestHasUsersCountsAllKinds(t *testing.T) {
	t.Parallel()
	s, _ := newService(t)
	if has, err := s.HasUsers(t.Context()); has || err != nil {
		t.Errorf("HasUsers = %v, %v", has, err)
	}
	if _, err := s.EnsureExternal(t.Context(), "42", ""); err != nil {
		t.Fatal(err)
	}
	if has, err := s.HasUsers(t.Context()); !has || err != nil {
		t.Errorf("HasUsers = %v, %v", has, err)
	}
}
