package pgcluster

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// ErrRunning says that another process owns the cluster.
var ErrRunning = errors.New("already running")

// orphanPatience is how long a server that lost its parent may take to stop.
const orphanPatience = 30 * time.Second

// claim makes this process the owner of the home. The kernel ends the claim
// when the process ends, however it ends.
func (h home) claim() (*os.File, error) {
	guard, err := h.open("guard")
	if err != nil {
		return nil, err
	}
	if err := tryLock(guard); err != nil {
		return nil, errors.Join(fmt.Errorf("%w in %s", err, h.dir), guard.Close())
	}
	return guard, nil
}

// endOrphan returns the leash, locked, after it has stopped the server of a
// process that was killed. A locked leash proves that a server lives, which
// a process id in a file does not.
func (h home) endOrphan() (*os.File, error) {
	leash, err := h.open("leash")
	if err != nil {
		return nil, err
	}
	var signals = []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT}
	deadline := time.Now()
	for {
		err := tryLock(leash)
		if !errors.Is(err, ErrRunning) {
			return leash, err
		}
		if time.Now().After(deadline) {
			if len(signals) == 0 {
				return nil, errors.Join(fmt.Errorf("a former PostgreSQL server in %s does not stop", h.dir), leash.Close())
			}
			h.signal(signals[0])
			signals, deadline = signals[1:], time.Now().Add(orphanPatience)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// signal tells the server of this home to stop, if it says who it is: one
// that is just ending no longer does.
func (h home) signal(s syscall.Signal) {
	text, err := os.ReadFile(h.pidFile())
	if err != nil {
		return
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	if pid, err := strconv.Atoi(string(line)); err == nil && pid > 1 {
		_ = syscall.Kill(pid, s) // gone already: the leash will show it
	}
}

func (h home) pidFile() string { return filepath.Join(h.data(), "postmaster.pid") }

func (h home) open(name string) (*os.File, error) {
	return os.OpenFile(filepath.Join(h.dir, name), os.O_RDWR|os.O_CREATE, 0o600)
}

// tryLock locks f for as long as any process has it open. The error is
// ErrRunning when another has locked it.
func tryLock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrRunning
	}
	return err
}
