package postgres_test

import (
	"errors"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

// A migration of the next release adds columns while this one serves, on
// connections that have prepared their statements.
func TestStatementsOutliveAColumnMore(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	db.SQL.SetMaxOpenConns(1)
	user, accounts, links := addUser(t, db), postgres.NewAccounts(db.DB), postgres.NewLinks(db.DB)
	var email string
	if err := db.Pool.QueryRow(t.Context(), "SELECT email FROM users").Scan(&email); err != nil {
		t.Fatal(err)
	}
	read := func() {
		t.Helper()
		if _, _, err := accounts.UserByEmail(t.Context(), email); err != nil {
			t.Errorf("by e-mail: %v", err)
		}
		if _, err := accounts.UserByRef(t.Context(), account.RefOf(user)); err != nil {
			t.Errorf("by id: %v", err)
		}
		if _, err := accounts.Staff(t.Context()); err != nil {
			t.Errorf("the staff: %v", err)
		}
		if _, err := links.Record(t.Context(), user); err != nil {
			t.Errorf("the link: %v", err)
		}
		if _, err := links.Connect(t.Context(), user); !errors.Is(err, link.ErrNotFound) {
			t.Errorf("no connect session: %v", err)
		}
		if _, err := links.Consumer(t.Context()); !errors.Is(err, link.ErrNotFound) {
			t.Errorf("no consumer: %v", err)
		}
		if _, err := links.Replicas(t.Context(), time.Minute); err != nil {
			t.Errorf("the replicas: %v", err)
		}
	}
	read()
	for _, table := range []string{
		"users", "garmin_authentication_states", "garmin_challenges", "garmin_candidates", "garmin_login_attempts",
		"connect_sessions", "replicas", "oauth1_consumer",
	} {
		if _, err := db.Pool.Exec(t.Context(), "ALTER TABLE "+table+" ADD COLUMN more text"); err != nil {
			t.Fatal(err)
		}
	}
	read()
}
