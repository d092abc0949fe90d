//go:build chaos

package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

const (
	// accessLife is that of access tokens here: short, so that browsers stay
	// signed in for some rounds' worth of time.
	accessLife = time.Hour
	overlong   = accessLife + time.Minute
)

// arena is an installation whose replicas are killed again and again, and
// what is seen of it from outside.
type arena struct {
	*stack
	ledger   *ledger
	replicas [3]*replica
	launched int
}

// replica is one process, under a name that the database knows it by.
type replica struct {
	*program
	name string
}

// dead reports that the process has ended.
func (r *replica) dead() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

func newArena(t *testing.T, grace time.Duration) *arena {
	t.Helper()
	s := newStack(t)
	s.garmin.AccessLife, s.garmin.RefreshGrace = accessLife, grace
	a := &arena{stack: s, ledger: newLedger(s.garmin)}
	a.exec(watchers)
	for i := range a.replicas {
		a.start(i, "")
	}
	return a
}

// start puts a new process in place of a replica. It kills itself at the
// failpoint, written as point:n, if one is named.
func (a *arena) start(i int, failpoint string) {
	a.t.Helper()
	if old := a.replicas[i]; old != nil {
		old.kill()
	}
	a.launched++
	name := fmt.Sprintf("replica-%d", a.launched)
	p := a.launch([]string{"serve", "--no-worker"}, "DATABASE_URL="+a.db.URL+"&application_name="+name, "TEST_FAILPOINT="+failpoint)
	p.addr, _ = p.await(a.t, "serving")["addr"].(string)
	a.door.lead(p.addr)
	a.replicas[i] = &replica{p, name}
}

func (a *arena) exec(sql string, args ...any) {
	a.t.Helper()
	if _, err := a.db.Pool.Exec(a.t.Context(), sql, args...); err != nil {
		a.t.Fatal(err)
	}
}

// watchers make the database itself write down who takes each lease, and each
// step of a generation: nothing escapes that looks at rows now and then would
// miss.
const watchers = `
	CREATE SCHEMA chaos;
	CREATE TABLE chaos.claims (lease_owner uuid PRIMARY KEY, user_id uuid NOT NULL, process text NOT NULL);
	CREATE TABLE chaos.steps (user_id uuid NOT NULL, former bigint, latter bigint);
	CREATE FUNCTION chaos.watch() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		IF NEW.lease_owner IS DISTINCT FROM OLD.lease_owner AND NEW.lease_owner IS NOT NULL THEN
			INSERT INTO chaos.claims VALUES (NEW.lease_owner, NEW.user_id, current_setting('application_name'));
		END IF;
		IF NEW.generation IS DISTINCT FROM OLD.generation THEN
			INSERT INTO chaos.steps VALUES (NEW.user_id, OLD.generation, NEW.generation);
		END IF;
		RETURN NULL;
	END $$;
	CREATE TRIGGER watch AFTER UPDATE ON garminlink.garmin_authentication_states
		FOR EACH ROW EXECUTE FUNCTION chaos.watch();`

// claims is how many leases a process has taken.
func (a *arena) claims(r *replica) int {
	return stored[int](a.stack, "SELECT count(*) FROM chaos.claims WHERE process = $1", r.name)
}

// stuck lists the users whose lease a process has taken to its grave. It
// stands until the clock moves on.
func (a *arena) stuck(r *replica) []uuid.UUID {
	a.t.Helper()
	rows, err := a.db.Pool.Query(a.t.Context(), `
		SELECT user_id FROM garmin_authentication_states JOIN chaos.claims USING (user_id, lease_owner) WHERE process = $1`, r.name)
	if err != nil {
		a.t.Fatal(err)
	}
	users, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		a.t.Fatal(err)
	}
	return users
}

// runners link as many new users, each with a Garmin account of his own.
func (a *arena) runners(round, n int) []*runner {
	a.t.Helper()
	all := make([]*runner, n)
	for i := range all {
		name := fmt.Sprintf("r%d-%d", round, i)
		r := &runner{guid: uuid.NewString()}
		a.garmin.Add(garmintest.Account{Email: name + "@garmin.example", Password: garmintest.DemoPassword, GUID: r.guid})
		r.visitor = a.stack.runner(name)
		r.link(name).wantRedirect("/link")
		all[i] = r
	}
	return all
}

// clear makes room for the next round.
func (a *arena) clear(all []*runner) {
	a.t.Helper()
	for _, r := range all {
		a.exec("DELETE FROM users WHERE id = $1", r.id)
	}
	a.exec("TRUNCATE chaos.claims, chaos.steps")
}

// until waits for what shows in the database or in a process only.
func (a *arena) until(what string, holds func() bool) {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), patience)
	defer cancel()
	for !holds() {
		select {
		case <-ctx.Done():
			a.t.Fatalf("waiting until %s: %v", what, ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}
