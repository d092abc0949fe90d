package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

func TestRelinkKeepsTheRowAndTheSessionUntilTheNewOneWorks(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	v.code(v.challenge("mfa"), garmintest.DemoCode).wantRedirect("/link")
	first := stored[time.Time](s, "SELECT created_at FROM garmin_authentication_states")
	generation := stored[int](s, "SELECT generation FROM garmin_authentication_states")
	s.advance(time.Hour)

	wrong := v.linkWith("mfa@garmin.example", "not the password", garmintest.Global).want(http.StatusUnprocessableEntity)
	wrong.wantProblem("Garmin did not accept this e-mail and password").wantState("active")
	form := v.challenge("mfa").wantText("Your former link still works")
	v.post("/link/validate").wantRedirect("/link/mfa") // the old session still works
	if got := stored[int](s, "SELECT generation FROM garmin_authentication_states WHERE mfa_pending"); got != generation {
		t.Errorf("the session became %d while the code was awaited", got)
	}
	v.follow(v.code(form, garmintest.DemoCode)).wantState("active").wantText("Max Mail")
	if again := stored[time.Time](s, "SELECT created_at FROM garmin_authentication_states"); !again.Equal(first) {
		t.Error("the row is another one")
	}
	if got := stored[int](s, "SELECT generation FROM garmin_authentication_states"); got <= generation {
		t.Errorf("the session is still %d", got)
	}
	s.wantEvents(v.id, "code_asked: not_linked -> mfa_pending", "code_accepted: mfa_pending -> active",
		"code_asked: active -> mfa_pending", "code_accepted: mfa_pending -> active")
}

// candidate goes as far as the question whether another account takes over.
func candidate(s *stack) (*visitor, *page) {
	s.t.Helper()
	v := s.runner("runner")
	v.link("plain").wantRedirect("/link")
	form := v.challenge("mfa")
	page := v.follow(v.code(form, garmintest.DemoCode).wantRedirect("/link"))
	page.wantHeading("Use another Garmin account?").wantText("Max Mail", "Pia Plain", "Time to answer: 10 minutes").wantState("active")
	return v, page
}

func (v *visitor) answer(question *page, confirm string) *page {
	v.t.Helper()
	return v.post("/link/replace", "candidate", question.value("candidate"), "confirm", confirm)
}

func TestAnotherAccountTakesOverOnYes(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v, question := candidate(s)
	v.answer(question, "perhaps").want(http.StatusUnprocessableEntity)
	v.follow(v.answer(question, "yes").wantRedirect("/link")).wantState("active").wantText("Max Mail", "mfa@garmin.example")
	v.answer(question, "yes").want(http.StatusConflict).wantProblem("This question is not open any more").wantState("active")
	v.post("/link/validate").wantRedirect("/link")
	s.wantEvents(v.id, "login_done: not_linked -> active", "code_asked: active -> mfa_pending",
		"set_aside: mfa_pending -> active", "login_done: active -> active")
}

func TestFormerAccountStaysOnNo(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v, question := candidate(s)
	v.follow(v.answer(question, "no").wantRedirect("/link")).wantState("active").
		wantNotice("Your link stays as it was.").wantText("Pia Plain")
	v.answer(question, "yes").want(http.StatusConflict)
	v.post("/link/validate").wantRedirect("/link")
	if n := stored[int](s, "SELECT count(*) FROM garmin_candidates"); n != 0 {
		t.Error("the candidate is left")
	}
}

func TestQuestionAboutAnotherAccountExpires(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v, question := candidate(s)
	s.advance(10*time.Minute + time.Second)
	v.answer(question, "yes").want(http.StatusConflict).wantProblem("This question is not open any more")
	v.get("/link").wantState("active").wantHeading("Your Garmin link").wantText("Pia Plain")
	if n := stored[int](s, "SELECT count(*) FROM garmin_candidates"); n != 0 {
		t.Error("the candidate is left")
	}
}

func TestGarminAccountBelongsToOneUser(t *testing.T) {
	t.Parallel()
	s := serving(t)
	first, second := s.runner("first"), s.runner("second")
	first.code(first.challenge("mfa"), garmintest.DemoCode).wantRedirect("/link")
	second.code(second.challenge("mfa"), garmintest.DemoCode).want(http.StatusUnprocessableEntity).
		wantProblem("This Garmin account is linked to another user here").wantState("not_linked")
	s.wantState(second.id, "not_linked")
	s.wantState(first.id, "active")

	first.post("/link/unlink", "confirm", "yes").wantRedirect("/link")
	second.code(second.challenge("mfa"), garmintest.DemoCode).wantRedirect("/link")
	s.wantState(second.id, "active")
}

func TestCandidateIsRefusedIfAnotherUserTookItMeanwhile(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v, question := candidate(s)
	other := s.runner("other")
	other.code(other.challenge("mfa"), garmintest.DemoCode).wantRedirect("/link")
	v.answer(question, "yes").want(http.StatusUnprocessableEntity).
		wantProblem("This Garmin account is linked to another user here")
	v.get("/link").wantState("active").wantText("Pia Plain")
}
