package pgcluster

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const (
	port         = "5432" // only names the socket's file
	socketFolder = "run"
	// longestSocket is the least of what systems allow a socket's path to have
	// (macOS: 104 bytes with the final zero; Linux: 108).
	longestSocket = 103
)

// home is the folder of one cluster, and the account that it belongs to:
//
//	data/         PostgreSQL's own
//	run/          the socket
//	postgres.log  what the server said since its last start
//	guard         locked by the process that owns the cluster
//	leash         locked by the server for as long as it lives
type home struct {
	dir     string
	account account
}

func (h home) data() string    { return filepath.Join(h.dir, "data") }
func (h home) sockets() string { return filepath.Join(h.dir, socketFolder) }
func (h home) log() string     { return filepath.Join(h.dir, "postgres.log") }

// settle makes the home, or one elsewhere when the server could not live
// there: its account cannot enter the folder, or the socket's path would be
// too long.
func settle(dir string, out io.Writer) (home, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return home{}, err
	}
	h, unfit := inhabit(dir)
	if unfit == nil {
		return h, nil
	}
	other, err := elsewhere(dir)
	if err != nil {
		return home{}, errors.Join(unfit, err)
	}
	if h, err = inhabit(other); err != nil {
		return home{}, errors.Join(unfit, err)
	}
	fmt.Fprintf(out, "PostgreSQL's data is kept in %s: %v.\n", other, unfit)
	return h, nil
}

// inhabit makes dir usable as a home, or says why it cannot be one.
func inhabit(dir string) (home, error) {
	h := home{dir: dir}
	if n := len(filepath.Join(h.sockets(), ".s.PGSQL."+port)); n > longestSocket {
		return home{}, fmt.Errorf("the path %s is too long for a socket", dir)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return home{}, err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return home{}, err
	}
	var err error
	if h.account, err = accountFor(dir); err != nil {
		return home{}, err
	}
	if err := h.account.own(dir); err != nil {
		return home{}, err
	}
	if err := h.account.enter(dir); err != nil {
		_ = os.Remove(dir) // as we made it; one that holds something stays
		return home{}, err
	}
	return h, nil
}

// elsewhere is the home that stands in for dir: short, and reachable for
// system users when we are root. Each dir has its own.
func elsewhere(dir string) (string, error) {
	key := fmt.Sprintf("%x", sha256.Sum256([]byte(dir)))[:12]
	if os.Geteuid() == 0 {
		return filepath.Join("/var/lib/garminlink-dev", key), nil
	}
	cache, err := os.UserCacheDir()
	return filepath.Join(cache, "garminlink-dev", key), err
}

// clean removes what a killed server leaves behind. PostgreSQL would judge
// these files by the process ids in them, which may by now be others'; the
// caller holds the leash and so knows that no server lives.
func (h home) clean() error {
	if err := os.RemoveAll(h.sockets()); err != nil {
		return err
	}
	if err := os.Mkdir(h.sockets(), 0o700); err != nil {
		return err
	}
	if err := h.account.own(h.sockets()); err != nil {
		return err
	}
	if err := os.Remove(h.pidFile()); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// logTail is the end of the server's log as an error.
func (h home) logTail() error {
	const tail = 2000
	text, err := os.ReadFile(h.log())
	if err != nil {
		return err
	}
	return fmt.Errorf("%s ends with:\n%s", h.log(), text[max(0, len(text)-tail):])
}
