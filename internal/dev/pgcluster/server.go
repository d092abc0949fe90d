package pgcluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	startPatience = time.Minute
	stopPatience  = 20 * time.Second
)

// server is one postmaster process.
type server struct {
	cmd  *exec.Cmd
	done chan struct{}
}

func newServer(cmd *exec.Cmd) *server {
	return &server{cmd: cmd, done: make(chan struct{})}
}

// start launches the process.
func (s *server) start(log string) error {
	out, err := os.Create(log)
	if err != nil {
		return err
	}
	defer out.Close()
	s.cmd.Stdout, s.cmd.Stderr = out, out
	started := make(chan error)
	go func() {
		// The kernel takes the death of the thread that forked for that of the
		// parent, so this one waits here until the server has ended.
		runtime.LockOSThread()
		defer close(s.done)
		err := s.cmd.Start()
		started <- err
		if err == nil {
			_ = s.cmd.Wait() // how a server ended is in its log
		}
	}()
	return <-started
}

// awaitReady returns when the server accepts connections.
func (s *server) awaitReady(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, url)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-s.done:
			return errors.New("PostgreSQL ended while it started")
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL does not start: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop ends the process, ever less gently. Signals as in PostgreSQL's manual,
// "Shutting Down the Server": fast (disconnects the clients), immediate
// (without a checkpoint).
func (s *server) stop(immediately bool) error {
	signals := []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL}
	if immediately {
		signals = signals[1:]
	}
	for _, signal := range signals {
		if err := s.cmd.Process.Signal(signal); errors.Is(err, os.ErrProcessDone) {
			return nil
		}
		select {
		case <-s.done:
			return nil
		case <-time.After(stopPatience):
		}
	}
	return fmt.Errorf("PostgreSQL (process %d) does not end", s.cmd.Process.Pid)
}
