//go:build chaos

package main

import (
	"fmt"
	"time"
)

// judge holds against what Garmin and the database saw what must be true
// whatever was done to the replicas.
func (a *arena) judge(p plan, all []*runner, struck bool, score *scores) {
	a.t.Helper()
	n := score.by[p.weapon]
	score.rounds++
	n.aimed++
	if struck {
		n.struck++
	}
	for _, r := range all {
		calls := a.ledger.of(r.guid)
		saved := a.steps(r)
		unseen := taken(calls) - saved // granted by Garmin to one who died before it was saved
		score.refreshes += len(calls)
		faults := append(doubles(calls), a.remains(r)...)
		faults = append(faults, p.losses(r, calls, unseen, struck)...)
		if len(faults) > 0 {
			a.t.Errorf("%s\n%s: %d saved, Garmin was asked %s\n%q", p, r.email, saved, story(calls), faults)
		}
		n.count(r, unseen)
	}
}

func (n *toll) count(r *runner, unseen int) {
	switch {
	case r.lost:
		n.lost++
	case unseen > 0:
		n.byGrace++
	}
	if r.interrupted {
		n.interrupted++
		if !r.lost {
			n.recovered++
		}
	}
}

// losses judges what the round cost this user.
func (p plan) losses(r *runner, calls []refresh, unseen int, struck bool) (faults []string) {
	// Where nobody else's refresh was under way, these two points lose nothing.
	harmless := p.users == 1 && (p.weapon == "after-claim" || p.weapon == "after-commit")
	switch {
	case unseen < 0 || unseen > 1:
		faults = append(faults, fmt.Sprintf("%d refreshes were not saved, by one death", unseen))
	case unseen == 1 && (harmless || !struck):
		faults = append(faults, "a refresh was not saved, though nobody died between the answer and the commit")
	}
	if !r.lost {
		return faults
	}
	if unseen == 0 {
		faults = append(faults, "lost, though every token was saved")
	}
	if p.lenient {
		faults = append(faults, "lost, though Garmin still took the token")
	}
	if !refusedTwice(calls, 2*time.Minute) {
		faults = append(faults, "lost without a refusal to be believed")
	}
	return faults
}

// steps is how often the generation moved, which must be upwards.
func (a *arena) steps(r *runner) int {
	a.t.Helper()
	if n := stored[int](a.stack, "SELECT count(*) FROM chaos.steps WHERE user_id = $1 AND latter <= former", r.id); n > 0 {
		a.t.Errorf("the generation of %s shrank %d times", r.email, n)
	}
	return stored[int](a.stack, "SELECT count(*) FROM chaos.steps WHERE user_id = $1 AND latter IS NOT NULL", r.id)
}

// remains is what must not be left of a refresh, and a state that contradicts
// what the user was told.
func (a *arena) remains(r *runner) (faults []string) {
	a.t.Helper()
	for fault, condition := range map[string]string{
		"a lease stands":               "lease_owner IS NOT NULL",
		"an intent stands":             "intent_generation IS NOT NULL",
		"the previous session is kept": "previous_session IS NOT NULL",
		"the user was told otherwise":  fmt.Sprintf("(session_data IS NULL) <> %t", r.lost),
	} {
		if stored[bool](a.stack, "SELECT "+condition+" FROM garmin_authentication_states WHERE user_id = $1", r.id) {
			faults = append(faults, fault)
		}
	}
	return faults
}

// story tells of calls without their tokens.
func story(calls []refresh) (told []string) {
	for _, c := range calls {
		what := "refused"
		if c.taken {
			what = "taken"
		}
		told = append(told, c.at.Format(time.TimeOnly)+" "+what)
	}
	return told
}
