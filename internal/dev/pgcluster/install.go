package pgcluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// findOrInstall finds the servers of this machine. Root on Debian gets one
// installed when there is none; anybody else is told which package to install.
func findOrInstall(ctx context.Context, out io.Writer) (installations, error) {
	found, err := find()
	if !errors.Is(err, ErrNotInstalled) {
		return found, err
	}
	if _, noApt := exec.LookPath("apt-get"); noApt != nil || os.Geteuid() != 0 {
		return nil, fmt.Errorf("%w: %s", err, advice())
	}
	fmt.Fprintln(out, "No PostgreSQL server is installed: installing Debian's package.")
	if err := aptInstall(ctx, out); err != nil {
		return nil, fmt.Errorf("install PostgreSQL: %w", err)
	}
	return find()
}

func advice() string {
	if runtime.GOOS == "darwin" {
		return "install it with `brew install postgresql@17`, or Postgres.app"
	}
	return "install the package `postgresql` (Debian, Ubuntu), `postgresql-server` (Fedora), `postgresql` (Arch)"
}

// noMainCluster keeps Debian's package from making and starting a cluster of
// its own, which nobody asked for; see createcluster.conf(5).
const noMainCluster = "/etc/postgresql-common/createcluster.d/garminlink.conf"

func aptInstall(ctx context.Context, out io.Writer) (err error) {
	if err := os.MkdirAll(filepath.Dir(noMainCluster), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(noMainCluster, []byte("create_main_cluster = false\n"), 0o644); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(noMainCluster)) }()
	for _, args := range [][]string{{"update"}, {"install", "-y", "--no-install-recommends", "postgresql"}} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("apt-get %s: %w", args[0], err)
		}
	}
	return nil
}
