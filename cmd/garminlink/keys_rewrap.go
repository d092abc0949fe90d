package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/link"
)

// rewrapPause is how long to wait for values in use, and for replicas that
// still seal with a former key, before another look; rewrapLooks in a row that
// changed nothing are enough. A refresh may take 65 s, and a dead replica is
// forgotten after 60. The tests of this program shorten the pause.
var rewrapPause = time.Second

const rewrapLooks = 90

// rewrap passes through all that is sealed until nothing is left to re-seal,
// and nobody would add to it.
func (d *keyDesk) rewrap(ctx context.Context) error {
	done := 0
	for look := 0; ; look++ {
		bar := newProgress(d.stderr)
		pass, err := d.vault.Rewrap(ctx, d.store, func(r link.Rewrapped) {
			bar.show(min(r.Done+r.Busy+len(r.Unreadable), r.Total), r.Total)
		})
		bar.end()
		done += pass.Done
		if err != nil {
			return d.interrupted(ctx, done, err)
		}
		if d.status, err = link.ReadKeyStatus(ctx, d.store); err != nil {
			return d.interrupted(ctx, done, err)
		}
		why := waitsFor(pass, laggards(d.status))
		switch {
		case pass.Done > 0:
			look = 0
			continue
		case why == "":
			return d.rewrapped(done, pass)
		case look == rewrapLooks:
			return fmt.Errorf("not finished, as %s: run `garminlink keys rewrap` again", why)
		case look == 1:
			fmt.Fprintf(d.stderr, "Waiting, as %s.\n", why)
		}
		select {
		case <-ctx.Done():
		case <-time.After(rewrapPause):
		}
	}
}

func (d *keyDesk) interrupted(ctx context.Context, done int, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("stopped after %d values: run `garminlink keys rewrap` again to go on", done)
	}
	if errors.Is(err, link.ErrWrongKeyset) {
		return adviseOnVault(err)
	}
	return fmt.Errorf("%w: %d values are re-sealed: run `garminlink keys rewrap` again to go on", err, done)
}

// laggards are the replicas that seal with another key than they should.
func laggards(s link.KeyStatus) (late []link.Replica) {
	for _, r := range s.Replicas {
		if r.SealingKey != s.Sealing {
			late = append(late, r)
		}
	}
	return late
}

// waitsFor says why a pass was not the last one; "" if it was.
func waitsFor(pass link.Rewrapped, late []link.Replica) string {
	var why []string
	if pass.Busy > 0 {
		why = append(why, fmt.Sprintf("%d values are in use", pass.Busy))
	}
	if len(late) > 0 {
		why = append(why, "replicas still seal with a former key (see their logs): "+names(late))
	}
	return strings.Join(why, ", and ")
}

// rewrapped tells the result, and names what cannot be read.
func (d *keyDesk) rewrapped(done int, pass link.Rewrapped) error {
	fmt.Fprintf(d.stdout, "Re-sealed %d values under key %d.\n", done, d.status.Sealing)
	for _, u := range pass.Unreadable {
		fmt.Fprintf(d.stderr, "Unreadable under key %d: %s, %s\n", u.Key, u.In, whose(u))
	}
	for _, u := range pass.Lacking {
		fmt.Fprintf(d.stderr, "This keyset lacks key %d: %s, %d rows\n", u.Key, u.In, u.Rows)
	}
	if len(pass.Unreadable)+len(pass.Lacking) > 0 {
		return errors.New("some values cannot be read and stay as they are, their links too: bring the missing keys back from a backup; users whose value is damaged must link anew")
	}
	return nil
}

func whose(u link.Unreadable) string {
	if u.User == uuid.Nil {
		return "id " + u.ID
	}
	return "user " + u.User.String()
}
