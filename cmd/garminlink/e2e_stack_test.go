package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
	"github.com/garminlink/garminlink/internal/seal"
)

// patience is how long a test waits for what must happen.
const patience = time.Minute

// ourPassword opens every user of ours.
const ourPassword = "tern-gravel-lantern-08"

// stack is an installation of its own: a database, a simulated Garmin, a
// keyset, and as many replicas behind one door as a test starts.
type stack struct {
	t        testing.TB
	db       *pgtest.DB
	garmin   *garmintest.Server
	door     *door
	keyset   string
	settings []string // of every process, without prefix
	proxy    string   // to the simulated Garmin
	network  []string // the way there, as variables
	programs []*program
}

// newStack makes a stack without replicas; settings go to every process, and
// win over those of the stack.
func newStack(t testing.TB, settings ...string) *stack {
	t.Helper()
	keyset, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{t: t, db: pgtest.New(t), garmin: new(garmintest.Server), door: newDoor(t), keyset: string(keyset)}
	t.Cleanup(s.garmin.Close)
	proxy, ca, err := s.garmin.ListenProxy("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	authority := filepath.Join(t.TempDir(), "garmin.pem")
	if err := os.WriteFile(authority, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	s.proxy = proxy
	s.network = []string{"HTTPS_PROXY=" + proxy, "SSL_CERT_FILE=" + authority}
	s.settings = append([]string{
		"DATABASE_URL=" + s.db.URL,
		"KEYSET=" + s.keyset,
		"BASE_URL=" + s.door.URL,
		"ADDR=127.0.0.1:0",
		"TRUSTED_PROXIES=127.0.0.0/8",
		"LOG_LEVEL=debug",
		"LOG_FORMAT=json",
		"GARMIN_FLOWS=ios", // so that one fault is one answer
	}, settings...)
	t.Cleanup(s.inspect)
	s.settle()
	return s
}

// settle adds somebody who never comes: without a user, all pages lead to the
// set-up.
func (s *stack) settle() {
	s.t.Helper()
	_, err := s.db.Pool.Exec(s.t.Context(), "INSERT INTO users (id, external_id, role) VALUES ($1, 'nobody', 'user')", uuid.Must(uuid.NewV7()))
	if err != nil {
		s.t.Fatal(err)
	}
}

// inspect ends what still runs and looks at what all programs left behind.
// So every end-to-end test is a leak test as well.
func (s *stack) inspect() {
	for _, p := range s.programs {
		p.kill()
		p.checkLog(s.t)
	}
	if found := s.leaks(); len(found) > 0 {
		s.t.Errorf("secrets came to light:\n%s", found)
	}
}

// serving is a stack with one replica.
func serving(t testing.TB, settings ...string) *stack {
	t.Helper()
	s := newStack(t, settings...)
	s.replica()
	return s
}

// advance moves the clocks of the database and of Garmin.
func (s *stack) advance(d time.Duration) {
	s.t.Helper()
	s.db.Advance(s.t, d)
	s.garmin.Advance(d)
}

// awaitGarmin waits until Garmin was asked n times, held calls included.
func (s *stack) awaitGarmin(op garmintest.Op, n int) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	if err := s.garmin.AwaitCalls(ctx, op, n); err != nil {
		s.t.Fatal(err)
	}
}

// eventually waits for what follows by itself from what a test has seen
// already: a program may write down, or count, what it did after the fact.
func (s *stack) eventually(what string, holds func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience) // a worker that was killed leads for 15 s, and is succeeded 6 s later
	defer cancel()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for !holds() {
		select {
		case <-look.C:
		case <-ctx.Done():
			s.t.Fatalf("%s: not in time:\n%s", what, s.programs[len(s.programs)-1].log)
		}
	}
}

func (s *stack) wantCalls(op garmintest.Op, want int) {
	s.t.Helper()
	if got := s.garmin.Calls(op); got != want {
		s.t.Errorf("Garmin was asked %d times for %s, want %d", got, op, want)
	}
}

// newUser makes a user of ours, with ourPassword.
func (s *stack) newUser(email string) uuid.UUID {
	s.t.Helper()
	u, err := account.New(postgres.NewAccounts(s.db.DB), passwordCost).Create(s.t.Context(), email, ourPassword, account.RoleUser)
	if err != nil {
		s.t.Fatal(err)
	}
	return u.ID
}

// stored reads a single value of the database.
func stored[T any](s *stack, sql string, args ...any) T {
	s.t.Helper()
	var v T
	if err := s.db.Pool.QueryRow(s.t.Context(), sql, args...).Scan(&v); err != nil {
		s.t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// wantState compares the state that the row of a user's link stands for.
func (s *stack) wantState(user uuid.UUID, want string) {
	s.t.Helper()
	got := stored[string](s, `
		SELECT coalesce((SELECT CASE
			WHEN mfa_pending THEN 'mfa_pending'
			WHEN session_data IS NOT NULL THEN 'active'
			ELSE 'reauth_needed' END
		FROM garmin_authentication_states WHERE user_id = $1), 'not_linked')`, user)
	if got != want {
		s.t.Errorf("the database says %s, want %s", got, want)
	}
}

// wantEvents compares the whole history of a user's link, and sees that each
// line of the user's doing names its request.
func (s *stack) wantEvents(user uuid.UUID, want ...string) {
	s.t.Helper()
	rows, err := s.db.Pool.Query(s.t.Context(), `
		SELECT event || ': ' || from_state || ' -> ' || to_state
		FROM link_events WHERE user_id = $1 AND request_id <> '' ORDER BY id`, user)
	if err != nil {
		s.t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		s.t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("the history is\n\t%q, want\n\t%q", got, want)
	}
}
