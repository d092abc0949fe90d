//go:build chaos

package main

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

var (
	chaosRounds = flag.Int("chaos.rounds", 0, "how many rounds TestChaos has; 0: 300, or 12 with -short")
	chaosSeed   = flag.Uint64("chaos.seed", 0, "what the rounds are drawn from; 0: the time")
	chaosRound  = flag.Int("chaos.round", -1, "the one round to run, as a failure names it")
)

// The ways in which a replica dies: at a failpoint, or at any moment.
var weapons = []string{"after-claim", "after-answer", "before-commit", "after-commit", atRandom}

const atRandom = "kill -9"

// grace is how long some rounds' Garmin still takes a token that was used:
// longer than a round takes to come back to it.
const grace = time.Hour

// plan is a round before it begins. The same seed and number draw the same.
type plan struct {
	number  int
	lenient bool // Garmin takes a used token for some time
	users   int
	each    int    // requests by each user at each replica
	victim  int    // the replica that dies
	weapon  string // by which
	nth     int    // passage of the failpoint
	after   time.Duration
	first   bool // the others are asked only when the victim is at work
	choice  *rand.Rand
}

func draw(seed uint64, number int) plan {
	r := rand.New(rand.NewPCG(seed, uint64(number)))
	users := 1 + r.IntN(4)
	return plan{
		number:  number,
		lenient: number%4 == 3,
		users:   users,
		each:    1 + r.IntN(2),
		victim:  r.IntN(3),
		weapon:  weapons[number%len(weapons)],
		nth:     1 + r.IntN(users),
		after:   time.Duration(r.Int64N(int64(50 * time.Millisecond))),
		first:   r.IntN(4) > 0,
		choice:  r,
	}
}

func (p plan) String() string {
	return fmt.Sprintf("round %d: %d users ask %d times each, replica %d dies by %s (passage %d, or after %s), asked first: %t, Garmin lenient: %t",
		p.number, p.users, p.each, p.victim, p.weapon, p.nth, p.after, p.first, p.lenient)
}

func (p plan) failpoint() string {
	if p.weapon == atRandom {
		return ""
	}
	return fmt.Sprintf("%s:%d", p.weapon, p.nth)
}

// Sessions run out, everybody asks at all replicas at once, one of them dies in
// the middle of it: no session may be lost but one that Garmin replaced while
// nobody lived to keep the new one.
func TestChaos(t *testing.T) {
	seed, from, to := cmp.Or(*chaosSeed, uint64(time.Now().UnixNano())), 0, 300
	switch {
	case *chaosRound >= 0:
		from, to = *chaosRound, *chaosRound+1
	case *chaosRounds > 0:
		to = *chaosRounds
	case testing.Short():
		to = 12
	}
	strict, lenient := newArena(t, 0), newArena(t, grace)
	score := newScores()
	now := from
	defer func() {
		if t.Failed() {
			t.Logf("to run that round again: go test -tags chaos -run '^TestChaos$' ./cmd/garminlink -chaos.seed %d -chaos.round %d", seed, now)
		}
	}()
	for ; now < to && !t.Failed(); now++ {
		p, a := draw(seed, now), strict
		if p.lenient {
			a = lenient
		}
		a.fight(p, score)
		if t.Failed() {
			break
		}
	}
	t.Logf("seed %d\n%s", seed, score)
}

// scores counts what came of the rounds.
type scores struct {
	rounds, refreshes int
	began             time.Time
	by                map[string]*toll
}

// toll is what one weapon did.
type toll struct {
	aimed, struck int // rounds; those in which the replica died of it before all was over
	interrupted   int // refreshes that it left behind unfinished
	recovered     int // of these
	byGrace       int // of these, with a token that Garmin had replaced already
	lost          int
}

func newScores() *scores {
	s := &scores{began: time.Now(), by: map[string]*toll{}}
	for _, w := range weapons {
		s.by[w] = new(toll)
	}
	return s
}

func (s *scores) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d rounds in %s, %d refreshes at Garmin\n", s.rounds, time.Since(s.began).Round(time.Second), s.refreshes)
	fmt.Fprintf(&b, "%-14s %6s %6s %12s %10s %9s %15s", "death", "rounds", "struck", "interrupted", "recovered", "by grace", "lost by design")
	for _, w := range weapons {
		n := s.by[w]
		fmt.Fprintf(&b, "\n%-14s %6d %6d %12d %10d %9d %15d", w, n.aimed, n.struck, n.interrupted, n.recovered, n.byGrace, n.lost)
	}
	return b.String()
}
