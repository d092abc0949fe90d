package pgcluster

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// oldest is the first version that knows all that the migrations use
// (functions written as RETURN expression).
const oldest = 14

// ErrNotInstalled says that this machine has no PostgreSQL server.
var ErrNotInstalled = errors.New("no PostgreSQL server is installed")

// folders are where distributions put the server's programs, apart from PATH.
var folders = []string{
	"/usr/lib/postgresql/*/bin",         // Debian, Ubuntu
	"/usr/pgsql-*/bin",                  // PostgreSQL's own packages for Fedora and RHEL
	"/usr/libexec/postgresql*",          // Alpine
	"/usr/lib/postgresql*/bin",          // openSUSE
	"/usr/local/pgsql/bin",              // built from source
	"/opt/homebrew/opt/postgresql*/bin", // Homebrew on ARM
	"/usr/local/opt/postgresql*/bin",    // Homebrew on Intel
	"/opt/local/lib/postgresql*/bin",    // MacPorts
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// binaries is one installed version of PostgreSQL.
type binaries struct {
	dir   string
	major int
}

type installations []binaries

// find lists the installed servers, newest first.
func find() (installations, error) {
	var found installations
	for _, dir := range candidates() {
		b, err := inspect(dir)
		if err != nil || slices.ContainsFunc(found, func(o binaries) bool { return o.major == b.major }) {
			continue
		}
		found = append(found, b)
	}
	slices.SortStableFunc(found, func(a, b binaries) int { return cmp.Compare(b.major, a.major) })
	if len(found) == 0 {
		return nil, ErrNotInstalled
	}
	if found[0].major < oldest {
		return nil, fmt.Errorf("PostgreSQL %d in %s is too old: version %d or newer is needed", found[0].major, found[0].dir, oldest)
	}
	return found, nil
}

// candidates are the folders that may hold a server; PATH decides first
// between two of one version.
func candidates() []string {
	dirs := filepath.SplitList(os.Getenv("PATH"))
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	for _, pattern := range folders {
		matches, _ := filepath.Glob(pattern) // the patterns are well-formed
		dirs = append(dirs, matches...)
	}
	return dirs
}

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// inspect reads the version of the server in dir.
func inspect(dir string) (binaries, error) {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return binaries{}, err
	}
	out, err := exec.Command(filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return binaries{}, err
	}
	m := versionPattern.FindSubmatch(out)
	if m == nil {
		return binaries{}, fmt.Errorf("%s/postgres does not say its version", dir)
	}
	major, err := strconv.Atoi(string(m[1]))
	return binaries{dir: dir, major: major}, err
}

// match picks the version that wrote the data folder, or the newest for a
// folder not yet made: data of one major version is unreadable to another.
func (list installations) match(data string) (binaries, error) {
	written, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if errors.Is(err, os.ErrNotExist) {
		return list[0], nil
	}
	if err != nil {
		return binaries{}, err
	}
	version := strings.TrimSpace(string(written))
	for _, b := range list {
		if strconv.Itoa(b.major) == version {
			return b, nil
		}
	}
	return binaries{}, fmt.Errorf("%s was written by PostgreSQL %s, which is no longer installed: install it again, or delete the folder to start anew", data, version)
}
