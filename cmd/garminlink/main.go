// Command garminlink lets users link their Garmin accounts in a browser and
// keeps the sessions. This package owns the command line, the configuration
// and the wiring; what the program does is decided elsewhere.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes, from BSD's sysexits where it has one.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 64 // EX_USAGE: the command line is wrong
	exitConfig  = 78 // EX_CONFIG: starting again is of no use before somebody changes the deployment
)

// process is what the program is given by whoever starts it.
type process struct {
	args           []string // without the program's name
	environ        []string
	stdin          io.Reader
	stdout, stderr io.Writer
}

// gcPercent has the collector run half as often as Go's default does: little is
// kept, 5 MB, and a check-out leaves 15 KB behind. GOGC overrides it.
const gcPercent = 200

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	// The first signal asks for a clean end, the second one ends at once.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, process{
		args:    os.Args[1:],
		environ: os.Environ(),
		stdin:   os.Stdin,
		stdout:  os.Stdout,
		stderr:  os.Stderr,
	}))
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, p process) int {
	root := newRoot(p)
	understood := false
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		err := cmd.ValidateRequiredFlags()
		understood = err == nil
		return err
	}
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if status, ok := errors.AsType[exitStatus](err); ok {
		return int(status)
	}
	fmt.Fprintln(p.stderr, "garminlink:", err)
	if !understood {
		fmt.Fprintln(p.stderr, "See `garminlink --help`.")
		return exitUsage
	}
	if _, refused := errors.AsType[refusal](err); refused {
		return exitConfig
	}
	return exitFailure
}

// refusal is the error of a deployment that somebody has to change; its text
// names the fix.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

func refuse(format string, args ...any) error { return refusal{fmt.Errorf(format, args...)} }

// exitStatus is the exit code of another program that was run in our place
// and has said by itself what was wrong.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }
