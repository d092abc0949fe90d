package account_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

const (
	email    = "runner@example.com"
	password = "correct horse battery"
)

var cheap = account.Cost{MemoryKiB: 64, Passes: 1}

func newService(t *testing.T) (*account.Service, *pgtest.DB) {
	t.Helper()
	db := pgtest.New(t)
	return account.New(postgres.NewAccounts(db.DB), cheap), db
}

func create(t *testing.T, s *account.Service) account.Proof {
	t.Helper()
	u, err := s.Create(t.Context(), email, password, account.RoleUser)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func signIn(t *testing.T, s *account.Service, user account.Proof) uuid.UUID {
	t.Helper()
	id, err := s.SignIn(t.Context(), user, "de")
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func wantSignedIn(t *testing.T, s *account.Service, id uuid.UUID, touch, want bool) {
	t.Helper()
	_, err := s.Authenticate(t.Context(), id, touch)
	if want && err != nil {
		t.Errorf("the sign-in is refused: %v", err)
	}
	if !want && !errors.Is(err, account.ErrNotFound) {
		t.Errorf("the sign-in is over, and Authenticate says %v", err)
	}
}

func TestCreateAndCheckPassword(t *testing.T) {
	t.Parallel()
	s, _ := newService(t)
	created, err := s.Create(t.Context(), " Runner@Example.com", password, account.RoleSupport)
	if err != nil {
		t.Fatal(err)
	}
	found, err := s.CheckPassword(t.Context(), "RUNNER@example.com ", password)
	if err != nil {
		t.Fatal(err)
	}
	if want := (account.User{ID: created.ID, Email: email, Role: account.RoleSupport}); found.User != want || created.User != want {
		t.Errorf("created %+v, found %+v, want %+v", created, found, want)
	}
	for _, c := range []struct{ email, password string }{
		{email, password + "."},
		{email, ""},
		{"walker@example.com", password},
		{"not an address", password},
	} {
		u, err := s.CheckPassword(t.Context(), c.email, c.password)
		if !errors.Is(err, account.ErrWrongCredentials) || u != (account.Proof{}) {
			t.Errorf("CheckPassword(%q, %q) = %+v, %v", c.email, c.password, u, err)
		}
	}
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	s, _ := newService(t)
	create(t, s)
	for _, c := range []struct {
		email, password string
		want            error
	}{
		{"runner", password, account.ErrInvalidEmail},
		{"walker@example.com", "short", account.ErrPasswordShort},
		{"walker@example.com", "password123", account.ErrPasswordCommon},
		{"RUNNER@example.com", password, account.ErrEmailTaken},
	} {
		if _, err := s.Create(t.Context(), c.email, c.password, account.RoleUser); !errors.Is(err, c.want) {
			t.Errorf("Create(%q, %q) = %v, want %v", c.email, c.password, err, c.want)
		}
	}
}

func TestOneOfManyGetsTheEmail(t *testing.T) {
	t.Parallel()
	s, _ := newService(t)
	results := make(chan error, 8)
	var all sync.WaitGroup
	for range cap(results) {
		all.Go(func() {
			_, err := s.Create(t.Context(), email, password, account.RoleUser)
			results <- err
		})
	}
	all.Wait()
	close(results)
	created := 0
	for err := range results {
		if err == nil {
			created++
		} else if !errors.Is(err, account.ErrEmailTaken) {
			t.Error(err)
		}
	}
	if created != 1 {
		t.Errorf("%d users have the same e-mail", created)
	}
}

func TestUsersOfAHostApplicationDoNotSignIn(t *testing.T) {
	t.Parallel()
	s, db := newService(t)
	_, err := db.Pool.Exec(t.Context(), `INSERT INTO users (id, email, role, external_id) VALUES ($1, $2, 'user', 'host-1')`,
		uuid.Must(uuid.NewV7()), email)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.CheckPassword(t.Context(), email, ""); !errors.Is(err, account.ErrWrongCredentials) {
		t.Errorf("CheckPassword = %v", err)
	}
	create(t, s) // the address is contact data there, and free here
}

func TestSigningInRenewsAnOldHash(t *testing.T) {
	t.Parallel()
	s, db := newService(t)
	u := create(t, s)
	stored := func() (hash string) {
		t.Helper()
		if err := db.Pool.QueryRow(t.Context(), "SELECT password_hash FROM users WHERE id = $1", u.ID).Scan(&hash); err != nil {
			t.Fatal(err)
		}
		return hash
	}
	check := func(s *account.Service) string {
		t.Helper()
		if _, err := s.CheckPassword(t.Context(), email, password); err != nil {
			t.Fatal(err)
		}
		return stored()
	}
	old := stored()
	if check(s) != old {
		t.Error("a hash of today's cost was replaced")
	}
	dearer := account.New(postgres.NewAccounts(db.DB), account.Cost{MemoryKiB: 128, Passes: 1})
	if _, err := dearer.CheckPassword(t.Context(), email, "wrong"); err == nil || stored() != old {
		t.Error("a wrong password replaced the hash")
	}
	renewed := check(dearer)
	if renewed == old {
		t.Fatal("a hash of another cost was kept")
	}
	if check(dearer) != renewed {
		t.Error("the renewed hash was replaced again")
	}
}

func TestSignOutEndsOneSignIn(t *testing.T) {
	t.Parallel()
	s, _ := newService(t)
	u := create(t, s)
	phone, desk := signIn(t, s, u), signIn(t, s, u)
	got, err := s.Authenticate(t.Context(), phone, true)
	if err != nil || got != u.User {
		t.Fatalf("Authenticate = %+v, %v; want %+v", got, err, u)
	}
	for range 2 {
		if err := s.SignOut(t.Context(), phone); err != nil {
			t.Fatal(err)
		}
	}
	wantSignedIn(t, s, phone, true, false)
	wantSignedIn(t, s, desk, true, true)
	wantSignedIn(t, s, uuid.Must(uuid.NewV7()), true, false)
}

func TestSignInsEndWhenIdle(t *testing.T) {
	t.Parallel()
	s, db := newService(t)
	id := signIn(t, s, create(t, s))
	db.Advance(t, account.IdleLimit-time.Hour)
	wantSignedIn(t, s, id, true, true)
	db.Advance(t, account.IdleLimit-time.Hour)
	wantSignedIn(t, s, id, false, true) // used since, and not too long ago
	db.Advance(t, 2*time.Hour)
	wantSignedIn(t, s, id, true, false) // polling did not count as use
}

func TestSignInsEndHoweverMuchUsed(t *testing.T) {
	t.Parallel()
	s, db := newService(t)
	id := signIn(t, s, create(t, s))
	for range 4 {
		db.Advance(t, 7*24*time.Hour)
		wantSignedIn(t, s, id, true, true)
	}
	db.Advance(t, 2*24*time.Hour)
	wantSignedIn(t, s, id, true, false)
}

func TestUseIsWrittenAtMostOnceAMinute(t *testing.T) {
	t.Parallel()
	s, db := newService(t)
	id := signIn(t, s, create(t, s))
	seen := func() (at time.Time) {
		t.Helper()
		if err := db.Pool.QueryRow(t.Context(), "SELECT last_seen_at FROM sign_ins WHERE id = $1", id).Scan(&at); err != nil {
			t.Fatal(err)
		}
		return at
	}
	began := seen()
	db.Advance(t, 30*time.Second)
	wantSignedIn(t, s, id, true, true)
	if !seen().Equal(began) {
		t.Error("a use within the same minute was written")
	}
	db.Advance(t, time.Minute)
	wantSignedIn(t, s, id, false, true)
	if !seen().Equal(began) {
		t.Error("polling was written as use")
	}
	wantSignedIn(t, s, id, true, true)
	if !seen().After(began) {
		t.Error("a use was not written")
	}
}

func TestSigningInClearsWhatIsOver(t *testing.T) {
	t.Parallel()
	s, db := newService(t)
	u := create(t, s)
	ended, forgotten := signIn(t, s, u), signIn(t, s, u)
	if err := s.SignOut(t.Context(), ended); err != nil {
		t.Fatal(err)
	}
	_, err := db.Pool.Exec(t.Context(), `INSERT INTO sessions VALUES
		('over', '', now() - interval '1 minute'), ('live', '', now() + interval '1 minute')`)
	if err != nil {
		t.Fatal(err)
	}
	db.Advance(t, account.AbsoluteLimit+time.Hour)
	live := signIn(t, s, u)
	var signIns []uuid.UUID
	var cookies []string
	err = db.Pool.QueryRow(t.Context(),
		"SELECT (SELECT array_agg(id) FROM sign_ins), (SELECT array_agg(token) FROM sessions)").Scan(&signIns, &cookies)
	if err != nil {
		t.Fatal(err)
	}
	if len(signIns) != 1 || signIns[0] != live {
		t.Errorf("left are %v, of %v, %v and the live %v", signIns, ended, forgotten, live)
	}
	if len(cookies) != 1 || cookies[0] != "live" {
		t.Errorf("left of scs's rows are %v", cookies)
	}
}
