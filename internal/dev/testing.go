package dev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/garminlink/garminlink/internal/dev/pgcluster"
)

// WithDatabase runs a command while a throwaway PostgreSQL server lives, and
// returns the command's exit code. The command finds the server's address in
// GARMINLINK_TEST_DATABASE_URL and PostgreSQL's programs in its PATH. When
// ctx ends, it is sent SIGTERM.
//
// A durable server writes to its disk what it has promised to keep, as in a
// deployment.
func WithDatabase(ctx context.Context, durable bool, argv []string, stdin io.Reader, stdout, stderr io.Writer) (code int, err error) {
	dir, err := os.MkdirTemp("", "garminlink-test-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	cluster, err := pgcluster.Start(ctx, pgcluster.Config{Dir: dir, Throwaway: !durable, Out: stderr})
	if err != nil {
		return 0, err
	}
	// Home may be elsewhere than dir.
	defer func() { err = errors.Join(err, cluster.Stop(), os.RemoveAll(cluster.Home())) }()

	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, stderr
	cmd.Env = append(os.Environ(),
		"GARMINLINK_TEST_DATABASE_URL="+cluster.URL(),
		fmt.Sprintf("PATH=%s%c%s", cluster.BinDir(), filepath.ListSeparator, os.Getenv("PATH")),
	)
	return exitCode(cmd.Run())
}

// exitCode follows the shells: 128 and the signal's number for a command
// that a signal ended.
func exitCode(err error) (int, error) {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return 0, err
	}
	if status := exit.Sys().(syscall.WaitStatus); status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return exit.ExitCode(), nil
}
