package limit

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// tryAgain is how long shared counters that failed are left alone.
const tryAgain = time.Second

// Fallback counts in shared rates, and while those cannot be reached in this
// process alone: a limit that holds for each replica apart is looser, but it is
// no outage. It logs when an outage begins and when it ends.
type Fallback struct {
	shared Rates
	local  *Local
	log    *slog.Logger

	mu    sync.Mutex
	turns int       // how often an outage began or ended
	since time.Time // when the outage began; zero: there is none
	again time.Time // when the shared rates are tried next, in an outage
}

// NewFallback returns rates that are shared as long as shared answers.
func NewFallback(shared Rates, log *slog.Logger) *Fallback {
	return &Fallback{shared: shared, local: NewLocal(), log: log}
}

// Take implements Rates. It fails only if ctx ends.
func (f *Fallback) Take(ctx context.Context, key string, r Rate) (time.Duration, error) {
	turn, down, due := f.outage()
	if due {
		f.Check(ctx)
		turn, down, _ = f.outage()
	}
	if !down {
		wait, err := f.ask(ctx, turn, key, r)
		if err == nil || ctx.Err() != nil {
			return wait, err
		}
	}
	return f.local.Take(ctx, key, r)
}

// checkRate is never used up: what may be taken from it must be written down. A
// refusal is not, and so is no proof: shared counters that are full, or a copy
// that takes no writes, still refuse.
var checkRate = Rate{Burst: 1000, Per: time.Second}

// Check asks the shared rates whether they count: in an outage, which ends if
// they do, and before anybody comes, so that one shows in the log.
func (f *Fallback) Check(ctx context.Context) {
	turn, _, _ := f.outage()
	_, _ = f.ask(ctx, turn, "check", checkRate) // noted
}

// ask takes from the shared rates, and learns from what comes of it.
func (f *Fallback) ask(ctx context.Context, turn int, key string, r Rate) (time.Duration, error) {
	wait, err := f.shared.Take(ctx, key, r)
	if ctx.Err() != nil {
		return 0, ctx.Err() // says nothing of the shared rates
	}
	f.note(ctx, turn, err)
	return wait, err
}

// Shared reports whether the shared rates answered last.
func (f *Fallback) Shared() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.since.IsZero()
}

// outage tells whether there is one, and now and then one who asks that it is
// due to be checked.
func (f *Fallback) outage() (turn int, down, due bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.since.IsZero() {
		return f.turns, false, false
	}
	now := time.Now()
	if now.Before(f.again) {
		return f.turns, true, false
	}
	f.again = now.Add(tryAgain)
	return f.turns, true, true
}

// note learns from what came of asking. An answer to what was asked before the
// last turn is of the past: many ask at once, and some are answered while
// others already wait in vain.
func (f *Fallback) note(ctx context.Context, turn int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	down := !f.since.IsZero()
	if turn != f.turns || down == (err != nil) {
		return
	}
	f.turns++
	now := time.Now()
	if err != nil {
		f.since, f.again = now, now.Add(tryAgain)
		f.log.WarnContext(ctx, "limits hold for each process alone: the counters that all share cannot be reached", "error", err)
		return
	}
	f.log.InfoContext(ctx, "limits are shared again", "after", now.Sub(f.since).Round(time.Second))
	f.since = time.Time{}
}
