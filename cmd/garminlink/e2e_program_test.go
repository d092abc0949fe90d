package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// program is one process of ours: this test binary, which runs main in its
// place.
type program struct {
	cmd  *exec.Cmd
	log  *transcript
	addr string // where a replica listens
	done chan struct{}
}

// launch starts a command. Settings win over the stack's.
func (s *stack) launch(args []string, settings ...string) *program {
	s.t.Helper()
	p := &program{cmd: exec.Command(os.Args[0], args...), log: newTranscript(), done: make(chan struct{})}
	p.cmd.Env = append([]string{mainVariable + "=1", "GORACE=halt_on_error=1"}, s.network...)
	for _, setting := range append(s.settings[:len(s.settings):len(s.settings)], settings...) {
		p.cmd.Env = append(p.cmd.Env, prefix+setting)
	}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		defer p.log.end()
		_ = p.cmd.Wait() // ProcessState tells
	}()
	s.programs = append(s.programs, p)
	return p
}

// replica starts one more server and opens the door to it. It runs no jobs: what
// Garmin is asked is what the visitors asked for.
func (s *stack) replica() *program {
	s.t.Helper()
	p := s.launch([]string{"serve", "--no-worker"})
	p.addr, _ = p.await(s.t, "serving")["addr"].(string)
	s.door.lead(p.addr)
	return p
}

// kill ends the process at once, as a crash does.
func (p *program) kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.done
}

// ask sends a signal.
func (p *program) ask(t testing.TB, signal syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// exit waits for the process to end by itself.
func (p *program) exit(t testing.TB) (code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-ctx.Done():
		t.Fatalf("the program does not end:\n%s", p.log)
		return 0
	}
}

// checkLog finds what no run of the program may ever print.
func (p *program) checkLog(t testing.TB) {
	t.Helper()
	for _, sign := range []string{"DATA RACE", "panic", "goroutine "} {
		if strings.Contains(p.log.String(), sign) {
			t.Errorf("the log has %q:\n%s", sign, p.log)
			return
		}
	}
}

// transcript keeps what a program prints.
type transcript struct {
	mu    sync.Mutex
	text  bytes.Buffer
	grown chan struct{} // closed and replaced at each write
	ended bool
}

func newTranscript() *transcript { return &transcript{grown: make(chan struct{})} }

func (l *transcript) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.grown)
	l.grown = make(chan struct{})
	return l.text.Write(b)
}

func (l *transcript) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	close(l.grown)
	l.grown = make(chan struct{})
}

func (l *transcript) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// entry is one line of a log in JSON.
type entry map[string]any

// says reports that the entry has this message and all these values: keys and
// values in turn.
func (e entry) says(message string, pairs ...string) bool {
	for i := 0; i < len(pairs); i += 2 {
		if e[pairs[i]] != pairs[i+1] {
			return false
		}
	}
	return e["msg"] == message
}

// first is the first entry that says this, nil if there is none.
func (l *transcript) first(message string, pairs ...string) entry {
	for text := range strings.Lines(l.String()) {
		var e entry
		if json.Unmarshal([]byte(text), &e) == nil && e.says(message, pairs...) {
			return e
		}
	}
	return nil
}

// await waits for the first entry of the log that says this.
func (p *program) await(t testing.TB, message string, pairs ...string) entry {
	t.Helper()
	e, err := p.log.await(t.Context(), message, pairs...)
	if err != nil {
		t.Fatalf("no %q in the log: %v\n%s", message, err, p.log)
	}
	return e
}

func (l *transcript) await(ctx context.Context, message string, pairs ...string) (entry, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		grown, ended := l.growth()
		if e := l.first(message, pairs...); e != nil {
			return e, nil
		}
		if ended {
			return nil, errors.New("the program has ended")
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (l *transcript) growth() (grown <-chan struct{}, ended bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.grown, l.ended
}
