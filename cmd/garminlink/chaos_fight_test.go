//go:build chaos

package main

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// doubt lies between two refusals that may be the doing of a refresh that
// nobody saw the end of, and a little more.
const doubt = 2*time.Minute + 10*time.Second

// runner is a user whose session runs out, and what became of it.
type runner struct {
	*visitor
	guid        string // of the Garmin account
	interrupted bool   // a refresh of it died half-way
	lost        bool   // the user has to sign in again
}

// fight is one round.
func (a *arena) fight(p plan, score *scores) {
	a.t.Helper()
	a.start(p.victim, p.failpoint())
	all := a.runners(p.number, p.users)
	defer a.clear(all)
	a.advance(overlong)
	struck := a.strike(p, all)
	a.start(p.victim, "")
	a.heal(p, all)
	a.judge(p, all, struck, score)
	a.outlive(all)
}

// strike lets everybody ask at once while the victim dies, and reports whether
// it died before all was over. It ends when the dead one's leases have.
func (a *arena) strike(p plan, all []*runner) bool {
	a.t.Helper()
	victim := a.replicas[p.victim]
	s := &storm{waiting: map[uuid.UUID]int{}}
	s.rise(p, a, all)
	if p.weapon == atRandom {
		time.Sleep(p.after) // the random moment itself
		victim.kill()
	}
	a.until("all are answered, or wait for the dead", func() bool {
		if !victim.dead() {
			return s.waitsOnlyFor(nil) && !s.cutOff(victim)
		}
		return a.buried(victim) && a.ledger.idle() && s.waitsOnlyFor(a.stuck(victim))
	})
	struck := victim.dead()
	for _, id := range a.stuck(victim) {
		i := slices.IndexFunc(all, func(r *runner) bool { return r.id == id })
		all[i].interrupted = true
	}
	a.advance(leaseTime)
	s.group.Wait()
	for _, got := range s.answers {
		if got.odd() {
			a.t.Errorf("in the storm, %s answers %d, %v", got.by.name, got.status, got.err)
		}
	}
	return struck
}

// buried reports that the database has noticed the death of a process: nothing
// that it had begun is still under way.
func (a *arena) buried(r *replica) bool {
	return stored[int](a.stack, "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1", r.name) == 0
}

// storm is many requests at once, by all users at all replicas.
type storm struct {
	group   sync.WaitGroup
	mu      sync.Mutex
	waiting map[uuid.UUID]int // answers that are still to come
	answers []answered
}

type answered struct {
	by     *replica
	status int
	err    error
}

// odd reports an answer that nobody may get. The door says 502 in place of the
// dead.
func (a answered) odd() bool {
	switch a.status {
	case http.StatusSeeOther, http.StatusServiceUnavailable:
		return a.err != nil
	case http.StatusBadGateway:
		return a.err != nil || !a.by.dead()
	default:
		return true
	}
}

func (s *storm) rise(p plan, a *arena, all []*runner) {
	order := slices.Clone(a.replicas[:])
	if p.first {
		order[0], order[p.victim] = order[p.victim], order[0]
	}
	for i, target := range order {
		for _, r := range all {
			for range p.each {
				s.ask(r, target)
			}
		}
		if i == 0 && p.first {
			a.until("the victim is at work", func() bool { return a.claims(target) >= p.nth })
		}
	}
}

func (s *storm) ask(r *runner, at *replica) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting[r.id]++
	s.group.Go(func() {
		status, err := r.validate(at)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.waiting[r.id]--
		s.answers = append(s.answers, answered{at, status, err})
	})
}

// validate sends the form that asks to have the session proved.
func (r *runner) validate(at *replica) (status int, err error) {
	request := r.at(at.program).request(r.t.Context(), http.MethodPost, "/link/validate", formOf(nil))
	response, err := r.client.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

// cutOff reports that an answer shows the replica's death, which can be seen
// before the process has ended.
func (s *storm) cutOff(r *replica) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.answers, func(a answered) bool { return a.by == r && a.status == http.StatusBadGateway })
}

func (s *storm) waitsOnlyFor(users []uuid.UUID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for user, n := range s.waiting {
		if n > 0 && !slices.Contains(users, user) {
			return false
		}
	}
	return true
}

// heal lets everybody ask again, at any replica, until each has an answer that
// lasts. Two refusals are the longest way to one.
func (a *arena) heal(p plan, all []*runner) {
	a.t.Helper()
	unsettled := slices.Clone(all)
	for range 3 {
		unsettled = slices.DeleteFunc(unsettled, func(r *runner) bool {
			return a.settled(r, a.replicas[p.choice.IntN(len(a.replicas))])
		})
		if len(unsettled) == 0 {
			return
		}
		a.advance(doubt)
	}
	a.t.Errorf("%d of %d links have not come to rest", len(unsettled), len(all))
}

func (a *arena) settled(r *runner, at *replica) bool {
	a.t.Helper()
	status, err := r.validate(at)
	switch {
	case err == nil && status == http.StatusSeeOther:
		return true
	case err == nil && status == http.StatusUnprocessableEntity:
		r.lost = true
		return true
	case err != nil || status != http.StatusServiceUnavailable:
		a.t.Errorf("%s answers %d, %v", at.name, status, err)
	}
	return false
}

// outlive proves that what is stored is the newest that Garmin gave: it can be
// renewed once more, by one refresh.
func (a *arena) outlive(all []*runner) {
	a.t.Helper()
	a.advance(overlong)
	for i, r := range all {
		if r.lost {
			continue
		}
		before := taken(a.ledger.of(r.guid))
		status, err := r.validate(a.replicas[i%len(a.replicas)])
		if err != nil || status != http.StatusSeeOther {
			a.t.Errorf("the next time it runs out, %s answers %d, %v", r.email, status, err)
		}
		if n := taken(a.ledger.of(r.guid)) - before; n != 1 {
			a.t.Errorf("the next time it runs out, %s is refreshed %d times", r.email, n)
		}
	}
}
