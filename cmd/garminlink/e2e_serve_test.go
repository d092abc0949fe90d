package main

import (
	"net/http"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

func TestServeRefusesAnotherKeysetThanTheFirst(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	v.link("plain").wantRedirect("/link")
	other := s.launch([]string{"serve"}, "KEYSET="+newKeyset(t))
	if code := other.exit(t); code != exitConfig {
		t.Errorf("exit code %d, want %d", code, exitConfig)
	}
	if log := other.log.String(); !strings.Contains(log, "GARMINLINK_KEYSET") || strings.Contains(log, `"serving"`) {
		t.Errorf("it says:\n%s", log)
	}
	v.post("/link/validate").wantRedirect("/link")
}

// Several machines may migrate at once, and again.
func TestMigrateIsSafeAtOnceAndTwice(t *testing.T) {
	t.Parallel()
	empty := pgtest.NewEmpty(t) // before the stack, whose programs so end before it goes
	s := newStack(t)
	migrate := func() *program { return s.launch([]string{"migrate"}, "DATABASE_URL="+empty.URL) }
	at, once := migrate(), migrate()
	for _, p := range []*program{at, once, migrate()} {
		if code := p.exit(t); code != exitOK {
			t.Errorf("exit code %d:\n%s", code, p.log)
		}
	}
	if current, wanted, err := empty.Versions(t.Context()); err != nil || current != wanted {
		t.Errorf("version %d of %d, %v", current, wanted, err)
	}
	serves := s.launch([]string{"serve"}, "DATABASE_URL="+empty.URL)
	serves.await(t, "serving")
}

func TestUserMadeOnTheCommandLineSignsIn(t *testing.T) {
	t.Parallel()
	s := serving(t)
	made := s.launch([]string{"user", "create", "--email", "Runner@example.com", "--role", "user"})
	if code := made.exit(t); code != exitOK {
		t.Fatalf("exit code %d:\n%s", code, made.log)
	}
	_, password, _ := strings.Cut(strings.TrimSpace(made.log.String()), "Password: ")
	v := s.stranger()
	v.follow(v.post("/signin", "email", "runner@example.com", "password", password).wantRedirect("/link")).wantState("not_linked")
}

// What Garmin is being asked when the end is asked for still ends well, and no
// balancer sends more.
func TestSigtermLetsALoginEnd(t *testing.T) {
	t.Parallel()
	s := newStack(t, "OPS_ADDR=127.0.0.1:0")
	replica := s.replica()
	ops := replica.await(t, "serving operators")["addr"].(string)
	v := s.runner("runner")
	if said := get(t, "http://"+ops+"/readyz"); said != "ok\n" {
		t.Errorf("at first /readyz says %q", said)
	}
	release := s.garmin.Hold(garmintest.OpLogin)
	answer := make(chan *page, 1)
	go func() { answer <- v.link("plain") }()
	s.awaitGarmin(garmintest.OpLogin, 1)

	replica.ask(t, syscall.SIGTERM)
	replica.await(t, "draining")
	if said := get(t, "http://"+ops+"/readyz"); said != errDraining.Error()+"\n" {
		t.Errorf("in the drain /readyz says %q", said)
	}
	for s.stranger().get("/healthz").status == http.StatusOK {
		runtime.Gosched() // until the port is closed
	}
	release()
	(<-answer).wantRedirect("/link")
	if code := replica.exit(t); code != exitOK {
		t.Errorf("exit code %d:\n%s", code, replica.log)
	}
	s.wantState(v.id, "active")
}

// A database that was restarted needs no restart of ours.
func TestReplicaOutlivesItsDatabaseConnections(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	form := v.challenge("mfa")
	if _, err := s.db.Pool.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
		t.Fatal(err)
	}
	for v.get("/link/mfa").status != http.StatusOK {
		runtime.Gosched() // each lost connection is found once
	}
	v.follow(v.code(form, garmintest.DemoCode).wantRedirect("/link")).wantState("active")
}

// Many at the door at once, on two replicas: nobody sees another's link, and
// nothing is lost.
func TestManyUsersAtOnce(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	replicas := []*program{s.replica(), s.replica()}
	var group sync.WaitGroup
	for i := range 8 {
		name := "runner" + string(rune('a'+i))
		s.garmin.Add(garmintest.Account{Email: name + "@garmin.example", Password: garmintest.DemoPassword, FullName: "Full " + name})
		v := s.runner(name).at(replicas[i%2])
		group.Go(func() {
			v.follow(v.link(name).wantRedirect("/link")).wantState("active").wantText("Full "+name, v.email)
		})
	}
	group.Wait()
	if n := stored[int](s, "SELECT count(*) FROM garmin_authentication_states WHERE session_data IS NOT NULL"); n != 8 {
		t.Errorf("%d links are active", n)
	}
}
