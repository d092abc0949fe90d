package link_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/google/uuid"
)

// load is users who go on using two replicas while a test does something else.
type load struct {
	stop  chan struct{}
	steps []chan struct{} // of each user, one for each step that went well
	users sync.WaitGroup
}

// newLoad lets each of n users do one thing after the other, on the members in
// turn. Any error fails the test.
func (w *world) newLoad(n int, members ...*member) *load {
	l := &load{stop: make(chan struct{})}
	w.t.Cleanup(l.end)
	for i := range n {
		name := fmt.Sprintf("loader%d", i)
		a := garmintest.Account{Email: name + "@garmin.example", Password: garmintest.DemoPassword, Code: garmintest.DemoCode}
		steps := []step{(*world).logIn, (*world).validates, (*world).refreshes}
		if i%2 == 1 {
			a.MFA = "email"
			steps = []step{(*world).logIn, (*world).submits, (*world).validates}
		}
		w.garmin.Add(a)
		done := make(chan struct{}, 1<<16)
		l.steps = append(l.steps, done)
		user := w.as(w.newUser(name + "@example.com"))
		l.users.Go(func() { l.use(user, name, members, steps, done) })
	}
	return l
}

type step func(w *world, s *link.Service, account string) error

func (l *load) use(w *world, account string, members []*member, steps []step, done chan<- struct{}) {
	defer close(done)
	for i := 0; ; i++ {
		select {
		case <-l.stop:
			return
		default:
		}
		if err := steps[i%len(steps)](w, members[i%len(members)].Service, account); err != nil {
			w.t.Errorf("%s, step %d: %v", account, i, err)
			return
		}
		done <- struct{}{}
	}
}

// await waits until each user has done some more: then nobody is still at what
// he was at when it was called.
func (l *load) await(t *testing.T) {
	t.Helper()
	for _, done := range l.steps {
		for len(done) > 0 {
			<-done
		}
		for range 3 {
			if _, goesOn := <-done; !goesOn {
				t.FailNow()
			}
		}
	}
}

func (l *load) end() {
	select {
	case <-l.stop:
	default:
		close(l.stop)
	}
	l.users.Wait()
}

func (w *world) logIn(s *link.Service, account string) error {
	// Of many logins a day some would be refused.
	if _, err := w.db.Pool.Exec(context.Background(), "DELETE FROM garmin_login_attempts WHERE user_id = $1", w.user); err != nil {
		return err
	}
	_, err := s.Start(context.Background(), w.act(), credentials(account))
	return err
}

func (w *world) submits(s *link.Service, _ string) error {
	_, err := s.SubmitCode(context.Background(), w.act(), uuid.Nil, garmintest.DemoCode)
	return err
}

func (w *world) validates(s *link.Service, _ string) error {
	_, err := s.Validate(context.Background(), w.act())
	return err
}

func (w *world) refreshes(s *link.Service, _ string) error {
	_, err := w.db.Pool.Exec(context.Background(),
		"UPDATE garmin_authentication_states SET session_expires_at = app_now() WHERE user_id = $1", w.user)
	if err != nil {
		return err
	}
	return w.validates(s, "")
}

func TestKeysRotateUnderLoad(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := w.member("one"), w.member("two")
	both, alone, added := w.grown()
	former := w.keys.Primary()
	l := w.newLoad(6, first, second)
	l.await(t)

	w.deploy(both, first, second) // add
	l.await(t)
	if err := w.promote(both, added); err != nil {
		t.Fatal(err)
	}
	first.beat(t) // the second seals with the former key for a while
	l.await(t)
	w.rewrap(both)
	second.beat(t)
	l.await(t)
	for w.status().Spare(former) != nil && !t.Failed() {
		w.rewrap(both)
	}
	l.await(t)             // whoever had read a value before it was re-sealed is through with it
	w.deploy(alone, first) // delete
	l.await(t)
	w.deploy(alone, second)
	l.await(t)
	l.end()

	for _, u := range w.status().Uses {
		if u.Key != added {
			t.Errorf("under key %d there are still %d %s", u.Key, u.Rows, u.In)
		}
	}
	if n := one[int](w, "SELECT count(*) FROM garmin_authentication_states WHERE reason IS NOT NULL"); n > 0 {
		t.Errorf("%d links need a new sign-in", n)
	}
}
