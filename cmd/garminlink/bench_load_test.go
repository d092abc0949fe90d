package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

// busy is how many ask at once, of the program and of the database alike.
const busy = 32

// askMany asks for the same over and over, as cheaply as pgbench does: it shares
// its cores with what it measures.
func askMany(b *testing.B, address, request string, n int) (took time.Duration, each []time.Duration) {
	b.Helper()
	results := make([][]time.Duration, busy)
	var all sync.WaitGroup
	began := time.Now()
	for i := range results {
		all.Go(func() {
			var err error
			if results[i], err = askOver(address, request, n/busy); err != nil {
				b.Error(err)
			}
		})
	}
	all.Wait()
	return time.Since(began), slices.Concat(results...)
}

// askOver asks n times over one connection.
func askOver(address, request string, n int) ([]time.Duration, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	answers := bufio.NewReader(conn)
	took := make([]time.Duration, n)
	for i := range took {
		began := time.Now()
		if _, err := io.WriteString(conn, request); err != nil {
			return nil, err
		}
		if err := readAnswer(answers); err != nil {
			return nil, err
		}
		took[i] = time.Since(began)
	}
	return took, nil
}

// readAnswer reads an answer that tells its length, and keeps nothing of it.
func readAnswer(from *bufio.Reader) error {
	status, err := from.ReadString('\n')
	if err != nil || !strings.HasPrefix(status, "HTTP/1.1 200 ") {
		return fmt.Errorf("%q: %v", status, err)
	}
	length := -1
	for {
		line, err := from.ReadSlice('\n')
		switch {
		case err != nil:
			return err
		case len(line) == len("\r\n"):
			_, err := from.Discard(length) // fails if it was not told
			return err
		}
		if told, found := bytes.CutPrefix(line, []byte("Content-Length: ")); found {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(told))); err != nil {
				return err
			}
		}
	}
}

var tps = regexp.MustCompile(`tps = ([0-9.]+) \(without initial connection time\)`)

// pgbench has PostgreSQL's own program run the same statements, n times.
func pgbench(b *testing.B, database string, statements []string, n int) (took time.Duration) {
	b.Helper()
	script := b.TempDir() + "/statements.sql"
	if err := os.WriteFile(script, []byte(strings.Join(statements, ";\n")+";\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	run := exec.Command("pgbench", "--no-vacuum", "--protocol=prepared", "--client="+strconv.Itoa(busy), "--jobs=2",
		"--transactions="+strconv.Itoa(n/busy), "--file="+script, database)
	run.Env = append(os.Environ(), "PGOPTIONS=-c search_path="+pgtest.Schema)
	out, err := run.CombinedOutput()
	found := tps.FindSubmatch(out)
	if err != nil || found == nil {
		b.Fatalf("pgbench: %v\n%s", err, out)
	}
	perSecond, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		b.Fatal(err)
	}
	return time.Duration(float64(n) / perSecond * float64(time.Second))
}

// memory is the most that the process has had in memory, in megabytes of 10^6
// bytes.
func memory(b *testing.B, pid int) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			kib, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			if err != nil {
				b.Fatal(err)
			}
			return kib * 1024 / 1e6
		}
	}
	b.Fatal("the kernel tells no peak of memory")
	return 0
}
