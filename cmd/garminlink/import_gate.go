package main

import (
	"context"
	"sync"
	"time"
)

// How long the gate stays shut when nobody says: at first, and at most. The
// tests of this program shorten the first.
var shortShut = 15 * time.Second

const longShut = 5 * time.Minute

// gate holds an import back while Garmin does not answer, or wants less. Its
// zero value is open.
type gate struct {
	mu    sync.Mutex
	until time.Time
	last  time.Duration // how long it was shut without being told, since Garmin answered
}

// shut closes the gate for d, or while that is unknown for longer each time. It
// returns until when, and zero if it was shut before.
func (g *gate) shut(d time.Duration) time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	closed := now.Before(g.until)
	if d <= 0 {
		if closed {
			return time.Time{}
		}
		g.last = min(max(2*g.last, shortShut), longShut)
		d = g.last
	}
	if until := now.Add(d); until.After(g.until) {
		g.until = until
	}
	if closed {
		return time.Time{}
	}
	return g.until
}

// answered notes that Garmin answers again.
func (g *gate) answered() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last = 0
}

// wait waits until the gate is open, or fails with the context's error.
func (g *gate) wait(ctx context.Context) error {
	for {
		g.mu.Lock()
		left := time.Until(g.until)
		g.mu.Unlock()
		if left <= 0 {
			return ctx.Err()
		}
		select {
		case <-time.After(left):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
