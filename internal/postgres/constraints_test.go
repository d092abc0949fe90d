package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/garminlink/garminlink/internal/postgres/pgtest"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
)

// A row of a live link, and what a program with a bug might make of it.
const liveLink = `INSERT INTO garmin_authentication_states
	(user_id, session_data, last_validated, region, garmin_email, garmin_guid, generation, key_id, session_expires_at)
	VALUES ($1, 'sealed', now(), 'garmin.com', 'a@example.com', 'guid', 1, 1, now())`

func TestDatabaseRefusesImpossibleLinks(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ change, constraint string }{
		"pending without a challenge":  {"mfa_pending = true", "pending_has_challenge"},
		"live with a reason":           {"reason = 'grant_refused'", "live_is_whole"},
		"live without identity":        {"garmin_guid = NULL", "live_is_whole"},
		"live without generation":      {"generation = NULL", "live_is_whole"},
		"live, never validated":        {"last_validated = NULL", "live_is_whole"},
		"neither session nor reason":   {"session_data = NULL, generation = NULL", "idle_has_reason"},
		"dead with a previous session": {"session_data = NULL, generation = NULL, reason = 'grant_refused', previous_session = 'x', previous_generation = 1, previous_key_id = 1", "dead_holds_nothing"},
		"dead with a lease":            {"session_data = NULL, generation = NULL, reason = 'grant_refused', lease_owner = user_id, lease_until = now()", "dead_holds_nothing"},
		"dead with an intent":          {"session_data = NULL, generation = NULL, reason = 'grant_refused', intent_generation = 2, intent_at = now()", "dead_holds_nothing"},
		"half a lease":                 {"lease_owner = user_id", "lease_is_whole"},
		"half an intent":               {"intent_generation = 2", "intent_is_whole"},
		"half a previous session":      {"previous_session = 'x'", "previous_is_whole"},
		"unknown reason":               {"session_data = NULL, generation = NULL, reason = 'bad luck'", "reason_check"},
		"unknown region":               {"region = 'garmin.example'", "region_check"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.New(t)
			insert(t, db, addUser(t, db), liveLink)
			_, err := db.Pool.Exec(context.Background(), "UPDATE garmin_authentication_states SET "+c.change)
			answer, ok := errors.AsType[*pgconn.PgError](err)
			if !ok || !strings.Contains(answer.ConstraintName, c.constraint) {
				t.Errorf("UPDATE SET %s: %v, want %s", c.change, err, c.constraint)
			}
		})
	}
}

func TestOneGarminAccountOneUser(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	insert(t, db, addUser(t, db), liveLink)
	_, err := db.Pool.Exec(context.Background(), liveLink, addUser(t, db))
	if answer, ok := errors.AsType[*pgconn.PgError](err); !ok || answer.ConstraintName != "garmin_account" {
		t.Errorf("a second link of one Garmin account: %v", err)
	}
}

func TestHistoryCannotBeRewritten(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	user := addUser(t, db)
	insert(t, db, user, `INSERT INTO link_events (user_id, event, from_state, to_state, actor, request_id)
		VALUES ($1, 'login_done', 'not_linked', 'active', 'user', 'r')`)
	if _, err := db.Pool.Exec(context.Background(), "UPDATE link_events SET event = 'unlinked'"); err == nil {
		t.Error("an entry was rewritten")
	}
	// The history lives as long as its user.
	if _, err := db.Pool.Exec(context.Background(), "DELETE FROM users WHERE id = $1", user); err != nil {
		t.Error(err)
	}
}

func addUser(t *testing.T, db *pgtest.DB) uuid.UUID {
	t.Helper()
	id := uuid.Must(uuid.NewV7())
	insert(t, db, id, "INSERT INTO users (id, email, password_hash, role) VALUES ($1, $1::uuid || '@example.com', 'x', 'user')")
	return id
}

func insert(t *testing.T, db *pgtest.DB, user uuid.UUID, statement string) {
	t.Helper()
	if _, err := db.Pool.Exec(context.Background(), statement, user); err != nil {
		t.Fatal(err)
	}
}
