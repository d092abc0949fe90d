package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// TestMain lets the test binary also be the other process: one that knows of the simulation only by its environment.
func TestMain(m *testing.M) {
	email := os.Getenv("GARMINSIM_TEST_EMAIL")
	if email == "" {
		os.Exit(m.Run())
	}
	_, _, err := garmin.New(garmin.Options{Flows: []garmin.Flow{garmin.IOS}}).Login(context.Background(), garmin.RegionGlobal, email, garmintest.DemoPassword)
	fmt.Print(errors.Join(err, errors.New("end")))
}

func TestOtherProcessesReachTheSimulation(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	r, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"-ca-out", filepath.Join(t.TempDir(), "ca.pem")}, w, io.Discard)
		_ = w.Close()
	}()
	var env, accounts []string
	for lines := bufio.NewScanner(r); len(accounts) < len(garmintest.DemoAccounts()) && lines.Scan(); {
		switch line := lines.Text(); {
		case strings.HasPrefix(line, "HTTPS_PROXY="), strings.HasPrefix(line, "SSL_CERT_FILE="):
			env = append(env, line)
		case strings.HasPrefix(line, "  "):
			accounts = append(accounts, line)
		}
	}
	if len(env) != 2 {
		t.Fatalf("it prints the variables %v", env)
	}
	for email, want := range map[string]string{"plain@garmin.example": "end", "locked@garmin.example": "garmin: login: locked"} {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(env, "GARMINSIM_TEST_EMAIL="+email)
		if out, err := cmd.CombinedOutput(); err != nil || !strings.HasPrefix(string(out), want) {
			t.Errorf("%s: %s (%v)", email, out, err)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestBadArgumentsAreRefused(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-x"}, {"extra"}, {"-listen", "nowhere:x"}, {"-ca-out", "/nowhere/ca.pem"}} {
		if err := run(t.Context(), args, io.Discard, io.Discard); err == nil {
			t.Errorf("%v is accepted", args)
		}
	}
	if err := run(t.Context(), []string{"-h"}, io.Discard, io.Discard); err != nil {
		t.Errorf("-h: %v", err)
	}
}
