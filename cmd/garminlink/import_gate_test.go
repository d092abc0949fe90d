package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestGateOpensWhenGarminSaid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g gate
		began := time.Now()
		for _, d := range []time.Duration{time.Minute, 30 * time.Second, 2 * time.Minute, 0} {
			if until := g.shut(d); until.IsZero() != (d != time.Minute) {
				t.Errorf("shut(%s) says %v", d, until)
			}
		}
		if err := g.wait(t.Context()); err != nil || time.Since(began) != 2*time.Minute {
			t.Errorf("open after %s, %v", time.Since(began), err)
		}
	})
}

func TestGateStaysShutForLongerEachTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g gate
		shut := func() time.Duration {
			began := time.Now()
			g.shut(0)
			if err := g.wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			return time.Since(began)
		}
		first := shut()
		if second := shut(); second != 2*first {
			t.Errorf("first %s, then %s", first, second)
		}
		for range 20 {
			shut()
		}
		if long := shut(); long != longShut {
			t.Errorf("at most %s, want %s", long, longShut)
		}
		g.answered()
		if again := shut(); again != first {
			t.Errorf("%s after an answer, want %s", again, first)
		}
	})
}

func TestGateLetsGoOfWhoIsStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g gate
		g.shut(time.Hour)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := g.wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("wait: %v", err)
		}
	})
}
