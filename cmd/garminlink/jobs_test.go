package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

func TestJobsPauseAndResume(t *testing.T) {
	t.Parallel()
	settings := []string{"DATABASE_URL=" + pgtest.New(t).URL}
	for _, step := range []struct{ command, says string }{
		{"status", "not paused"},
		{"resume", "go on"},
		{"pause", "are paused"},
		{"pause", "are paused"},
		{"status", "PAUSED since 20"},
		{"resume", "go on"},
		{"status", "not paused"},
	} {
		if got := garminlink(t, "", settings, "jobs", step.command); got.code != exitOK || !got.says(step.says) {
			t.Errorf("jobs %s: exit code %d, want %q: %s%s", step.command, got.code, step.says, got.stdout, got.stderr)
		}
	}
}

var checkCompleted = regexp.MustCompile(`check_link +completed: 1\n`)

func TestJobsStatusTellsAtAGlance(t *testing.T) {
	t.Parallel()
	s, user := linked(t)
	status := func() string {
		t.Helper()
		got := garminlink(t, "", []string{"DATABASE_URL=" + s.db.URL}, "jobs", "status")
		if got.code != exitOK {
			t.Fatalf("exit code %d: %s", got.code, got.stderr)
		}
		return got.stdout
	}
	wants := func(said string, parts ...string) {
		t.Helper()
		for _, part := range parts {
			if !strings.Contains(said, part) {
				t.Errorf("%q is not in\n%s", part, said)
			}
		}
	}
	wants(status(), "links: 1, the longest for ", "nothing is held back", "NONE was seen lately")

	worker := s.launch([]string{"worker"})
	s.awaitProof(user)
	if _, err := s.db.Pool.Exec(t.Context(), `
		INSERT INTO cool_downs SELECT 'garmin/' || key, app_now() + interval '90 seconds'
		FROM unnest('{breaker/connectapi.garmin.com,address/garmin.cn/diauth,account/0a,account/0b,judging}'::text[]) AS key`); err != nil {
		t.Fatal(err)
	}
	// River writes down some at a time that jobs are over.
	s.eventually("a completed check", func() bool { return checkCompleted.MatchString(status()) })
	wants(status(), "no link", "1 alive and 0 dead in 10 minutes", "connectapi.garmin.com fails", "diauth.garmin.cn has asked for a pause",
		"left alone for a while: 2", "JUDGING IS STOPPED", ", leads", "find_due_links")
	worker.kill()
}

func TestTablesOfTheQueueAreRequired(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	if _, err := db.Pool.Exec(t.Context(), "DELETE FROM river_migration WHERE version > 6"); err != nil {
		t.Fatal(err)
	}
	got := garminlink(t, "", []string{"DATABASE_URL=" + db.URL}, "jobs", "status")
	if got.code != exitConfig || !got.says("run `garminlink migrate`") || !got.says("version 6") {
		t.Errorf("exit code %d: %s", got.code, got.stderr)
	}
}
