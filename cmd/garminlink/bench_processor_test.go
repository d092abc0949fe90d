package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

// kernelTick is in what /proc counts, on all machines that Go runs on.
const kernelTick = 10 * time.Millisecond

// processors counts what programs use of the processors: on a machine that has
// other work, too, that tells more than the clock.
type processors struct {
	b          *testing.B
	postmaster int
}

func newProcessors(b *testing.B, db *pgtest.DB) processors {
	b.Helper()
	var pid int
	if err := db.Pool.QueryRow(context.Background(), "SELECT pg_backend_pid()").Scan(&pid); err != nil {
		b.Fatal(err)
	}
	p := processors{b: b}
	p.postmaster = int(p.stat(pid)[0])
	return p
}

// stat reads a process from its parent's id on, which is the first: see
// proc_pid_stat(5).
func (p processors) stat(pid int) (numbers []int64) {
	p.b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return make([]int64, 14) // it has ended
	}
	_, fields, _ := strings.Cut(string(text), ") ")
	for _, field := range strings.Fields(fields)[1:15] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			p.b.Fatal(err)
		}
		numbers = append(numbers, n)
	}
	return numbers
}

func (p processors) of(pid int) time.Duration {
	stat := p.stat(pid)
	return time.Duration(stat[10]+stat[11]) * kernelTick
}

// postgres is the whole server, those of its processes that have ended too.
func (p processors) postgres() time.Duration {
	p.b.Helper()
	stat := p.stat(p.postmaster)
	used := p.of(p.postmaster) + time.Duration(stat[12]+stat[13])*kernelTick
	all, err := os.ReadDir("/proc")
	if err != nil {
		p.b.Fatal(err)
	}
	for _, entry := range all {
		if pid, err := strconv.Atoi(entry.Name()); err == nil && int(p.stat(pid)[0]) == p.postmaster {
			used += p.of(pid)
		}
	}
	return used
}

// ended is what those have used whom this process started and has seen end.
func (p processors) ended() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &used); err != nil {
		p.b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
