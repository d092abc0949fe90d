package dev

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestCommandHasADatabaseWhileItRuns(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	code, err := WithDatabase(t.Context(), false,
		[]string{"sh", "-c", `psql -Atc "SHOW fsync" "$GARMINLINK_TEST_DATABASE_URL" && exit 7`},
		nil, &out, t.Output())
	if err != nil || code != 7 || out.String() != "off\n" {
		t.Errorf("WithDatabase = %d, %v; printed %q", code, err, out.String())
	}
}

func TestExitCodeFollowsTheShells(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]int{"exit 0": 0, "exit 3": 3, "kill -TERM $$": 128 + 15} {
		if code, err := exitCode(exec.Command("sh", "-c", script).Run()); err != nil || code != want {
			t.Errorf("%s: %d, %v; want %d", script, code, err, want)
		}
	}
	if _, err := exitCode(exec.Command("no-such-program").Run()); err == nil {
		t.Error("a program that does not exist has an exit code")
	}
}

func TestCommandThatIsMissingLeavesNoServer(t *testing.T) {
	t.Parallel()
	if _, err := WithDatabase(t.Context(), false, []string{"no-such-program"}, nil, os.Stdout, t.Output()); err == nil {
		t.Error("no error")
	}
}
