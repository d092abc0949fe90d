package redislimit_test

import (
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/limit"
	"github.com/garminlink/garminlink/internal/limit/redistest"
)

// journal is a log that all may write at once.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

func (j *journal) count(what string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Count(j.text.String(), what)
}

// replica is a process, as far as limits go.
type replica struct {
	*limit.Fallback
	log *journal
}

func newReplica(t *testing.T, server *redistest.Server) replica {
	log := new(journal)
	return replica{limit.NewFallback(open(t, server, "here", impatient), slog.New(slog.NewTextHandler(log, nil))), log}
}

func (r replica) wantLogged(t *testing.T, outages, ends int) {
	t.Helper()
	if w, i := r.log.count("level=WARN"), r.log.count("level=INFO"); w != outages || i != ends {
		t.Errorf("%d outages and %d ends are logged, want %d and %d:\n%s", w, i, outages, ends, r.log.text.String())
	}
}

// crowd has many take at once, and returns how many could.
func crowd(t *testing.T, r replica) (taken int) {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			wait, err := r.Take(t.Context(), "a", fivePerMinute)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if wait == 0 {
				taken++
			}
		})
	}
	all.Wait()
	return taken
}

func want(t *testing.T, what string, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("%s %d took, want %d", what, got, want)
	}
}

// awaitShared takes of a key of no interest, as other users would, until the
// outage is over.
func awaitShared(t *testing.T, r replica) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !r.Shared(); {
		if time.Now().After(deadline) {
			t.Fatal("Redis is back, and not used")
		}
		if _, err := r.Take(t.Context(), "other", limit.Rate{Burst: 1, Per: time.Hour}); err != nil {
			t.Fatal(err)
		}
		<-time.After(10 * time.Millisecond)
	}
}

func TestOutageOfRedisRefusesNobody(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(*redistest.Server, testing.TB){
		"gone":  (*redistest.Server).Kill,
		"hangs": (*redistest.Server).Hang,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.New(t)
			one, other := newReplica(t, server), newReplica(t, server)
			want(t, "of the shared five", crowd(t, one)+crowd(t, other), 5)
			one.wantLogged(t, 0, 0)

			harm(server, t)
			want(t, "alone, the first", crowd(t, one), 5)
			want(t, "alone, the other", crowd(t, other), 5)
			want(t, "once more", crowd(t, one), 0)
			one.wantLogged(t, 1, 0)
			if one.Shared() {
				t.Error("it says that limits are shared")
			}

			if name == "hangs" {
				server.Kill(t)
			}
			server.Start(t)
			awaitShared(t, one)
			awaitShared(t, other)
			want(t, "of the shared five, afterwards,", crowd(t, one)+crowd(t, other), 5)
			one.wantLogged(t, 1, 1)
			other.wantLogged(t, 1, 1)
		})
	}
}
