//go:build chaos

package link

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// passed counts how often the failpoint that the environment names was passed.
var passed atomic.Int64

// failpoint kills the process, as kill -9 does, at the n-th passage of the
// point that GARMINLINK_TEST_FAILPOINT names as point:n.
func failpoint(point string) {
	name, nth, _ := strings.Cut(os.Getenv("GARMINLINK_TEST_FAILPOINT"), ":")
	n, err := strconv.ParseInt(nth, 10, 64)
	if name != point || err != nil || passed.Add(1) != n {
		return
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // until the signal arrives
}
