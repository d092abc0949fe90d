package main

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

func TestRestartBetweenPasswordAndCode(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	first := s.replica()
	v := s.runner("runner")
	form := v.challenge("mfa")
	first.kill()
	s.replica()
	v.get("/link/mfa").want(http.StatusOK).wantState("mfa_pending")
	v.follow(v.code(form, garmintest.DemoCode).wantRedirect("/link")).wantState("active")
	s.wantCalls(garmintest.OpLogin, 1)
}

func TestAnyReplicaFinishesALogin(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	a, b := s.replica(), s.replica()
	v := s.runner("runner")
	form := v.at(a).challenge("mfa")
	v.at(b).code(form, wrongCode).want(http.StatusUnprocessableEntity).wantText("4 attempts left")
	v.at(a).get("/link/mfa").wantText("4 attempts left")
	v.at(b).code(form, garmintest.DemoCode).wantRedirect("/link")
	v.at(a).get("/link").wantState("active")
	v.at(b).post("/link/validate").wantRedirect("/link")
}

// both sends two requests at once.
func both(one, other func() *page) [2]*page {
	var answers [2]*page
	var group sync.WaitGroup
	group.Go(func() { answers[0] = one() })
	group.Go(func() { answers[1] = other() })
	group.Wait()
	return answers
}

func TestTwoTabsSubmitTheSameCode(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	a, b := s.replica(), s.replica()
	v := s.runner("runner")
	form := v.challenge("mfa")

	release := s.garmin.Hold(garmintest.OpVerify)
	tabs := make(chan [2]*page, 1)
	go func() {
		tabs <- both(
			func() *page { return v.at(a).code(form, garmintest.DemoCode) },
			func() *page { return v.at(b).code(form, garmintest.DemoCode) },
		)
	}()
	s.awaitGarmin(garmintest.OpVerify, 1)
	s.door.await(t, "POST /link/mfa", 2)
	release()
	for _, tab := range <-tabs {
		v.follow(tab.wantRedirect("/link")).wantState("active")
	}
	s.wantCalls(garmintest.OpVerify, 1)
	s.wantEvents(v.id, "code_asked: not_linked -> mfa_pending", "code_accepted: mfa_pending -> active")
}

// A second login would mail a second code and void the first.
func TestDoubleClickOnThePasswordFormAsksGarminOnce(t *testing.T) {
	t.Parallel()
	for account, to := range map[string]string{"plain": "/link", "mfa": "/link/mfa"} {
		t.Run(account, func(t *testing.T) {
			t.Parallel()
			s := newStack(t)
			a, b := s.replica(), s.replica()
			v := s.runner("runner")
			form := v.get("/link")
			release := s.garmin.Hold(garmintest.OpLogin)
			clicks := make(chan [2]*page, 1)
			go func() {
				clicks <- both(
					func() *page { return v.at(a).click(form, account) },
					func() *page { return v.at(b).click(form, account) },
				)
			}()
			s.awaitGarmin(garmintest.OpLogin, 1)
			s.door.await(t, "POST /link", 2)
			release()
			for _, click := range <-clicks {
				click.wantRedirect(to)
			}
			s.wantCalls(garmintest.OpLogin, 1)
		})
	}
}

func TestSecondClickThatComesLateAsksGarminOnce(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	form := v.get("/link")
	v.click(form, "mfa").wantRedirect("/link/mfa")
	v.click(form, "mfa").wantRedirect("/link/mfa")
	s.wantCalls(garmintest.OpLogin, 1)
}

// click sends the very form that a page holds, as each click on its button
// does.
func (v *visitor) click(form *page, account string) *page {
	v.t.Helper()
	return v.post("/link", "attempt", form.value("attempt"), "email", account+"@garmin.example",
		"password", garmintest.DemoPassword, "region", garmintest.Global)
}

func TestCrashWhileGarminJudgesTheCode(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	first := s.replica()
	v := s.runner("runner")
	form := v.challenge("mfa")
	s.garmin.Fail(garmintest.OpVerify, garmintest.Slow, 1)
	answer := make(chan *page, 1)
	go func() { answer <- v.code(form, garmintest.DemoCode) }()
	s.awaitGarmin(garmintest.OpVerify, 1)
	first.kill()
	(<-answer).want(http.StatusBadGateway) // of the door

	s.replica()
	s.advance(2 * time.Minute) // the dead replica's claim runs out
	v.get("/link/mfa").wantText("4 attempts left")
	v.follow(v.code(form, garmintest.DemoCode).wantRedirect("/link")).wantState("active")
	s.wantEvents(v.id, "code_asked: not_linked -> mfa_pending", "code_accepted: mfa_pending -> active")
}

func TestAnotherLoginMeanwhileIsTurnedAway(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	release := s.garmin.Hold(garmintest.OpLogin)
	first := make(chan *page, 1)
	go func() { first <- v.link("plain") }()
	s.awaitGarmin(garmintest.OpLogin, 1)
	v.link("mfa").want(http.StatusConflict).wantProblem("Garmin is being asked already")
	release()
	(<-first).wantRedirect("/link")
	s.wantCalls(garmintest.OpLogin, 1)
}

// The browser that goes away does not undo what Garmin granted.
func TestLoginIsKeptWhenTheBrowserGoesAway(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	replica := s.replica()
	v := s.runner("runner")
	release := s.garmin.Hold(garmintest.OpLogin)
	leave := v.submitAndLeave("/link", "email", "plain@garmin.example", "password", garmintest.DemoPassword, "region", garmintest.Global)
	s.awaitGarmin(garmintest.OpLogin, 1)
	leave()
	release()
	replica.await(t, "request", "method", "POST", "route", "/link")
	s.wantState(v.id, "active")
	v.get("/link").wantState("active")
}
