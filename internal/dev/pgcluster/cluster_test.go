package pgcluster

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

	"github.com/jackc/pgx/v5"
)

// homeVariable makes this test binary run a cluster until its input ends, so
// that tests can kill the owner of one.
const homeVariable = "GARMINLINK_TEST_CLUSTER_HOME"

func TestMain(m *testing.M) {
	if dir := os.Getenv(homeVariable); dir != "" {
		os.Exit(own(dir))
	}
	os.Exit(m.Run())
}

func own(dir string) int {
	c, err := Start(context.Background(), Config{Dir: dir, Out: os.Stderr})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := c.Stop(); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// openTemp is a temporary folder that other accounts can enter, unlike
// testing's.
func openTemp(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pgcluster-")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "postgres")
}

func start(t *testing.T, dir string) *Cluster {
	t.Helper()
	c, err := Start(t.Context(), Config{Dir: dir, Out: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, c) })
	return c
}

func stop(t *testing.T, c *Cluster) {
	t.Helper()
	if err := c.Stop(); err != nil {
		t.Error(err)
	}
}

func execute(t *testing.T, c *Cluster, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), c.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func TestDataOutlivesTheServer(t *testing.T) {
	t.Parallel()
	dir := openTemp(t)
	c := start(t, dir)
	if c.Home() != dir {
		t.Errorf("Home() = %s, want %s", c.Home(), dir)
	}
	execute(t, c, "CREATE TABLE kept ()")
	stop(t, c)
	stop(t, c) // again does nothing
	execute(t, start(t, dir), "SELECT FROM kept")
}

func TestHomeHasOneOwner(t *testing.T) {
	t.Parallel()
	dir := openTemp(t)
	c := start(t, dir)
	if _, err := Start(t.Context(), Config{Dir: dir, Out: t.Output()}); !errors.Is(err, ErrRunning) {
		t.Errorf("a second Start gave %v, want ErrRunning", err)
	}
	execute(t, c, "SELECT") // the first still serves
}

func TestThrowawayVanishes(t *testing.T) {
	t.Parallel()
	dir := openTemp(t)
	c, err := Start(t.Context(), Config{Dir: dir, Throwaway: true, Out: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	stop(t, c)
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", dir, err)
	}
}

func TestKilledOwnerDoesNotBlockTheNext(t *testing.T) {
	t.Parallel()
	dir := openTemp(t)
	owner := exec.Command(os.Args[0])
	owner.Env = append(os.Environ(), homeVariable+"="+dir)
	if _, err := owner.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	if said, _ := bufio.NewReader(out).ReadString('\n'); said != "ready\n" {
		t.Fatalf("the owner said %q", said)
	}
	if err := owner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = owner.Wait() // killed
	execute(t, start(t, dir), "SELECT")
}

func TestOrphanIsStopped(t *testing.T) {
	t.Parallel()
	dir := openTemp(t)
	orphan := start(t, dir)
	execute(t, orphan, "CREATE TABLE kept ()")
	orphan.guard.Close() // as the kernel does when the owner dies
	execute(t, start(t, dir), "SELECT FROM kept")
	<-orphan.Done()
}

func TestCrashedServerLeavesNothingThatBlocks(t *testing.T) {
	t.Parallel()
	dir := openTemp(t)
	c := start(t, dir)
	if err := c.server.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-c.Done()
	stop(t, c)
	// The dead server's process id now belongs to another process: ourselves.
	pid, socketLock := c.home.pidFile(), filepath.Join(c.home.sockets(), ".s.PGSQL."+port+".lock")
	for _, name := range []string{pid, socketLock} {
		if err := os.WriteFile(name, fmt.Appendf(nil, "%d\n%s\n", os.Getpid(), c.home.data()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	execute(t, start(t, dir), "SELECT")
}

func TestInterruptedInitialisationIsRepeated(t *testing.T) {
	t.Parallel()
	dir := openTemp(t)
	if err := os.MkdirAll(filepath.Join(dir, "data.new", "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	execute(t, start(t, dir), "SELECT")
}

func TestServerThatCannotStartSaysWhy(t *testing.T) {
	t.Parallel()
	dir := openTemp(t)
	stop(t, start(t, dir))
	if err := os.WriteFile(filepath.Join(dir, "data", "postgresql.conf"), []byte("max_connections = none\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Config{Dir: dir, Out: t.Output()})
	if err == nil || !strings.Contains(err.Error(), "max_connections") {
		t.Errorf("Start gave %v", err)
	}
	if _, err := Start(t.Context(), Config{Dir: dir, Out: t.Output()}); errors.Is(err, ErrRunning) {
		t.Error("a failed start keeps its claim")
	}
}

func TestServerListensToItsOwnAccountOnly(t *testing.T) {
	t.Parallel()
	c := start(t, openTemp(t))
	info, err := os.Stat(c.home.sockets())
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the socket's folder: %v, %v", info.Mode(), err)
	}
	conn, err := pgx.Connect(t.Context(), c.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var addresses string
	if err := conn.QueryRow(t.Context(), "SHOW listen_addresses").Scan(&addresses); err != nil || addresses != "" {
		t.Errorf("listens on %q, %v", addresses, err)
	}
}
