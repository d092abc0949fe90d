package dev

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
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

// A durable server keeps its data when it ends; nobody comes back for these.
func TestDurableDatabaseIsThrownAwayWhereverItIs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 25)) // too long for a socket
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", dir)
	var out strings.Builder
	code, err := WithDatabase(t.Context(), true,
		[]string{"sh", "-c", `psql -Atc "SHOW data_directory" "$GARMINLINK_TEST_DATABASE_URL"`}, nil, &out, t.Output())
	if err != nil || code != 0 {
		t.Fatal(code, err)
	}
	home := filepath.Dir(strings.TrimSpace(out.String()))
	if _, err := os.Stat(home); !errors.Is(err, os.ErrNotExist) || strings.HasPrefix(home, dir) {
		t.Errorf("%s is left: %v", home, err)
	}
}
