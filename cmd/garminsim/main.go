// Command garminsim is the simulated Garmin as a program: another process that is started with the two environment
// variables it prints signs in to the simulation instead of to Garmin's real hosts. It keeps nothing between runs.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "garminsim:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, args []string, out, errOut io.Writer) error {
	flags := flag.NewFlagSet("garminsim", flag.ContinueOnError)
	flags.SetOutput(errOut)
	listen := flags.String("listen", "127.0.0.1:0", "`address` of the proxy")
	caOut := flags.String("ca-out", "garminsim-ca.pem", "`file` to write the CA certificate to")
	switch err := flags.Parse(args); {
	case err == flag.ErrHelp:
		return nil
	case err != nil:
		return err
	case flags.NArg() > 0:
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}

	var sim garmintest.Server
	defer sim.Close()
	proxyURL, ca, err := sim.ListenProxy(*listen)
	if err != nil {
		return err
	}
	path, err := filepath.Abs(*caOut)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, ca, 0o644); err != nil {
		return err
	}
	announce(out, proxyURL, path)
	<-ctx.Done()
	return nil
}

func announce(out io.Writer, proxyURL, caPath string) {
	fmt.Fprintf(out, "simulated Garmin behind %s\n\nHTTPS_PROXY=%s\nSSL_CERT_FILE=%s\n\n", proxyURL, proxyURL, caPath)
	fmt.Fprintf(out, "accounts (password %s, code %s):\n", garmintest.DemoPassword, garmintest.DemoCode)
	for _, a := range garmintest.DemoAccounts() {
		fmt.Fprintf(out, "  %-24s %-10s %s\n", a.Email, a.Region, a.Describe())
	}
}
