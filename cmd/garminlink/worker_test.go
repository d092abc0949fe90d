package main

import (
	"context"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/limit"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

// linked is a stack without workers, where one user's session is to be renewed.
func linked(t *testing.T) (*stack, uuid.UUID) {
	t.Helper()
	s := serving(t)
	v := s.runner("runner")
	v.link("plain").wantRedirect("/link")
	s.advance(20 * time.Hour)
	return s, v.id
}

// awaitProof waits until a link was proved to work by the clock that stands now.
func (s *stack) awaitProof(user uuid.UUID) {
	s.t.Helper()
	s.eventually("the proof of the link", func() bool {
		return stored[bool](s, "SELECT last_validated > app_now() - interval '5 minutes' FROM garmin_authentication_states WHERE user_id = $1", user)
	})
}

// awaitMetrics waits until a program says all these of itself.
func (s *stack) awaitMetrics(ops string, wants ...string) {
	s.t.Helper()
	for _, want := range wants {
		s.eventually(want, func() bool { return strings.Contains(get(s.t, "http://"+ops+"/metrics"), want) })
	}
}

func TestWorkerKeepsLinksAlive(t *testing.T) {
	t.Parallel()
	s, user := linked(t)
	worker := s.launch([]string{"worker"}, "OPS_ADDR=127.0.0.1:0")
	ops := worker.await(t, "serving operators")["addr"].(string)
	s.awaitProof(user)
	s.wantCalls(garmintest.OpRefresh, 1)
	s.wantState(user, "active")
	s.awaitMetrics(ops, `garminlink_link_checks_total{outcome="done"} 1`, "garminlink_links_due ", "garminlink_links_overdue_seconds ")
	if got := garminlink(t, "", []string{"OPS_ADDR=" + ops}, "healthcheck"); got.code != exitOK {
		t.Errorf("healthcheck: exit code %d: %s", got.code, got.stderr)
	}
	worker.ask(t, syscall.SIGTERM)
	if code := worker.exit(t); code != exitOK {
		t.Errorf("exit code %d:\n%s", code, worker.log)
	}
	if worker.log.first("serving") != nil {
		t.Error("it has opened the public port")
	}
}

func TestServeKeepsLinksAlive(t *testing.T) {
	t.Parallel()
	s, user := linked(t)
	p := s.launch([]string{"serve"})
	p.await(t, "keeping links alive")
	s.awaitProof(user)
	p.ask(t, syscall.SIGTERM)
	if code := p.exit(t); code != exitOK {
		t.Errorf("exit code %d:\n%s", code, p.log)
	}
	if s.programs[0].log.first("keeping links alive") != nil {
		t.Error("so does one with --no-worker")
	}
}

func TestJobOfAKilledWorkerIsDoneByAnother(t *testing.T) {
	t.Parallel()
	s, user := linked(t)
	s.garmin.Fail(garmintest.OpRefresh, garmintest.Slow, 1)
	killed := s.launch([]string{"worker"})
	s.awaitGarmin(garmintest.OpRefresh, 1)
	killed.kill()
	s.advance(2 * time.Minute) // the lease has run out; River has a clock of its own:
	if _, err := s.db.Pool.Exec(t.Context(), "UPDATE river_job SET attempted_at = attempted_at - interval '3 minutes' WHERE state = 'running'"); err != nil {
		t.Fatal(err)
	}
	s.launch([]string{"worker"})
	s.awaitProof(user)
	s.wantCalls(garmintest.OpRefresh, 2)
	s.wantState(user, "active")
}

func TestWorkerThatIsAskedToEndSavesWhatGarminGrants(t *testing.T) {
	t.Parallel()
	s, user := linked(t)
	release := s.garmin.Hold(garmintest.OpRefresh)
	worker := s.launch([]string{"worker"})
	s.awaitGarmin(garmintest.OpRefresh, 1)
	worker.ask(t, syscall.SIGTERM)
	worker.await(t, "draining")
	release()
	if code := worker.exit(t); code != exitOK {
		t.Errorf("exit code %d:\n%s", code, worker.log)
	}
	if !stored[bool](s, "SELECT refreshed_at IS NOT NULL AND lease_owner IS NULL FROM garmin_authentication_states WHERE user_id = $1", user) {
		t.Error("the new session is lost")
	}
}

func TestBudgetOfCalls(t *testing.T) {
	t.Parallel()
	for setting, want := range map[string]limit.Rate{"": link.DefaultBudget, "5": {Burst: 5, Per: time.Second}} {
		c, err := load[Config](append(complete, "GARMINLINK_GARMIN_CALLS_PER_SECOND="+setting))
		if err != nil || c.Garmin.budget() != want {
			t.Errorf("%q: %v, %v", setting, c.Garmin.budget(), err)
		}
	}
	for _, setting := range []string{"0", "-1", "1001", "1.5", "many"} {
		_, err := load[Config](append(complete, "GARMINLINK_GARMIN_CALLS_PER_SECOND="+setting))
		if err == nil || !strings.Contains(err.Error(), "GARMINLINK_GARMIN_CALLS_PER_SECOND: ") {
			t.Errorf("%q: %v", setting, err)
		}
	}
}

func TestBacklogFallsSilent(t *testing.T) {
	t.Parallel()
	b := newBacklog("some", "Some", "long", "Long")
	registry := prometheus.NewRegistry()
	registry.MustRegister(b)
	wants := func(want int) {
		t.Helper()
		if told, err := registry.Gather(); err != nil || len(told) != want {
			t.Errorf("%v, %v; want %d numbers", told, err, want)
		}
	}
	wants(0)
	if err := b.sample(t.Context(), postgres.NewLinks(pgtest.New(t).DB).Backlog); err != nil {
		t.Fatal(err)
	}
	wants(2)
	b.at = b.at.Add(-2 * sampleLife)
	wants(0)
}

func TestLifecycleEndsWithATaskThatFails(t *testing.T) {
	t.Parallel()
	s := &site{}
	failed := func(context.Context) error { return errDraining }
	err := lifecycle{tasks: []func(context.Context) error{failed}, draining: &s.draining, log: slog.New(slog.DiscardHandler)}.run(t.Context())
	if err != errDraining {
		t.Errorf("run gave %v", err)
	}
}
