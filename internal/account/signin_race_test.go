package account_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

const newPassword = "tern-gravel-lantern-08"

func TestAProofEndsWithItsPassword(t *testing.T) {
	t.Parallel()
	s, _ := newService(t)
	u := create(t, s)
	this := signIn(t, s, u)
	proof, err := s.CheckPassword(t.Context(), email, password)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.ChangePassword(t.Context(), email, password, newPassword, this); err != nil {
		t.Fatal(err)
	}
	for _, stale := range []account.Proof{u, proof, {}} {
		if _, err := s.SignIn(t.Context(), stale, "en"); !errors.Is(err, account.ErrWrongCredentials) {
			t.Errorf("who knew the password before signs in: %v", err)
		}
	}
	if all := signInsOf(t, s, u.ID); len(all) != 1 || all[0] != this {
		t.Errorf("signed in are %v", all)
	}
}

// A sign-in that is written, and not yet committed, is seen by nobody; who ends
// all others waits for it.
func TestASignInInTheMakingDoesNotOutliveTheOthers(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*account.Service, account.Proof, uuid.UUID) error{
		"password changed": func(s *account.Service, u account.Proof, this uuid.UUID) error {
			return s.ChangePassword(context.Background(), u.Email, password, newPassword, this)
		},
		"others signed out": func(s *account.Service, u account.Proof, this uuid.UUID) error {
			_, err := s.SignOutOthers(context.Background(), u.ID, this)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, db := newService(t)
			u := create(t, s)
			this := signIn(t, s, u)
			held := hold(t, db, "LOCK TABLE sessions") // which the end of a sign-in's transaction looks through
			var thief uuid.UUID
			signedIn := going(func() (err error) { thief, err = s.SignIn(context.Background(), u, "en"); return err })
			awaitWaiting(t, db, 1, signedIn)
			ended := going(func() error { return end(s, u, this) })
			awaitWaiting(t, db, 2, ended)
			held()
			if err := errors.Join(<-signedIn, <-ended); err != nil {
				t.Fatal(err)
			}
			wantSignedIn(t, s, this, false, true)
			wantSignedIn(t, s, thief, false, false)
		})
	}
}

// Who comes while the password is being changed waits for what comes of it.
func TestASignInWaitsForAChangeOfThePassword(t *testing.T) {
	t.Parallel()
	s, db := newService(t)
	u := create(t, s)
	this, other := signIn(t, s, u), signIn(t, s, u)
	held := hold(t, db, "SELECT FROM sign_ins WHERE id = '"+other.String()+"' FOR UPDATE") // which the change ends last
	changed := going(func() error { return s.ChangePassword(context.Background(), email, password, newPassword, this) })
	awaitWaiting(t, db, 1, changed)
	signedIn := going(func() error { _, err := s.SignIn(context.Background(), u, "en"); return err })
	awaitWaiting(t, db, 2, signedIn)
	held()
	if err := <-changed; err != nil {
		t.Fatal(err)
	}
	if err := <-signedIn; !errors.Is(err, account.ErrWrongCredentials) {
		t.Errorf("SignIn with the old password = %v", err)
	}
}

func going(do func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	return done
}

// hold locks what a statement locks, until release.
func hold(t *testing.T, db *pgtest.DB, statement string) (release func()) {
	t.Helper()
	tx, err := db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	if _, err := tx.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(t.Context()); err != nil && !errors.Is(err, pgx.ErrTxClosed) {
			t.Fatal(err)
		}
	}
}

// awaitWaiting returns once so many wait for a lock, or the last of them has
// ended without.
func awaitWaiting(t *testing.T, db *pgtest.DB, n int, last <-chan error) {
	t.Helper()
	for len(last) == 0 {
		var waiting int
		err := db.Pool.QueryRow(t.Context(), `
			SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
		if waiting >= n {
			return
		}
	}
}
