package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

const wrongCode = "000000"

func TestLinkWithACode(t *testing.T) {
	t.Parallel()
	s := serving(t)
	for account, sent := range map[string]string{
		"mfa":  "by e-mail to mf*****@garmin.example",
		"sms":  "by text message to *******0123",
		"totp": "Open the app",
	} {
		v := s.runner("runner-" + account)
		form := v.challenge(account).wantHeading("Enter the code from Garmin").wantText(sent, "5 attempts left", "Time left: 10 minutes")
		s.wantState(v.id, "mfa_pending")
		v.get("/link").wantHeading("Enter the code from Garmin") // the page of the link is the same one
		if resend := len(form.find(with("action", "/link/mfa/resend"))); (resend == 0) != (account == "totp") {
			t.Errorf("%s: %d forms ask for another code", account, resend)
		}
		v.follow(v.code(form, garmintest.DemoCode).wantRedirect("/link")).wantState("active").wantNotice("Your Garmin account is linked.")
		s.wantState(v.id, "active")
		s.wantEvents(v.id, "code_asked: not_linked -> mfa_pending", "code_accepted: mfa_pending -> active")
	}
	if n := stored[int](s, "SELECT count(*) FROM garmin_challenges"); n != 0 {
		t.Errorf("%d challenges are left", n)
	}
}

func TestCodeFieldSuitsPhones(t *testing.T) {
	t.Parallel()
	s := serving(t)
	form := s.runner("runner").challenge("sms")
	for key, want := range map[string]string{"inputmode": "numeric", "autocomplete": "one-time-code", "aria-describedby": "code-hint"} {
		if got, _ := attribute(form.find(with("id", "code"))[0], key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
}

func TestWrongCodeThenRight(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	form := v.challenge("mfa")
	again := v.code(form, wrongCode).want(http.StatusUnprocessableEntity)
	again.wantFieldError("code", "not the right code").wantText("4 attempts left").wantState("mfa_pending")
	if again.value("code") != "" || again.value("challenge") != form.value("challenge") {
		t.Errorf("the form holds %q for %q", again.value("code"), again.value("challenge"))
	}
	v.follow(v.code(again, " 123 456 ").wantRedirect("/link")).wantState("active")
	s.wantCalls(garmintest.OpVerify, 2)
	s.wantCalls(garmintest.OpLogin, 1)
}

func TestWhatIsNoCodeCostsNothing(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	form := v.challenge("mfa")
	for _, code := range []string{"", "12", "12345678901", "abcdef"} {
		v.code(form, code).want(http.StatusUnprocessableEntity).wantFieldError("code", "4 to 10 digits").wantText("5 attempts left")
	}
	s.wantCalls(garmintest.OpVerify, 0)
}

func TestFiveWrongCodesEndTheChallenge(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	form := v.challenge("mfa")
	for range 4 {
		v.code(form, wrongCode).want(http.StatusUnprocessableEntity).wantState("mfa_pending")
	}
	over := v.code(form, wrongCode).want(http.StatusUnprocessableEntity)
	over.wantProblem("Too many wrong codes").wantState("not_linked").wantHeading("Link your Garmin account")
	v.code(form, garmintest.DemoCode).want(http.StatusConflict).wantProblem("This code is not awaited any more")
	s.wantCalls(garmintest.OpVerify, 5)
	s.wantState(v.id, "not_linked")
	s.wantEvents(v.id, "code_asked: not_linked -> mfa_pending", "attempts_spent: mfa_pending -> not_linked")
	v.follow(v.code(v.challenge("mfa"), garmintest.DemoCode)).wantState("active")
}

func TestChallengeExpires(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	form := v.challenge("mfa")
	s.advance(9 * time.Minute)
	v.get("/link/mfa").wantText("Time left: 1 minute")
	s.advance(time.Minute + time.Second)
	v.code(form, garmintest.DemoCode).want(http.StatusUnprocessableEntity).wantProblem("The code came too late").wantState("not_linked")
	v.get("/link/mfa").wantRedirect("/link")
	s.wantCalls(garmintest.OpVerify, 0)
	s.wantEvents(v.id, "code_asked: not_linked -> mfa_pending", "expired: mfa_pending -> not_linked")
}

// A page that was left open must not show a form that leads nowhere.
func TestExpiredChallengeIsGoneFromThePage(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	v.challenge("mfa")
	s.advance(10*time.Minute + time.Second)
	v.get("/link").want(http.StatusOK).wantState("not_linked").wantHeading("Link your Garmin account")
	s.wantEvents(v.id, "code_asked: not_linked -> mfa_pending", "expired: mfa_pending -> not_linked")
}

func TestGarminForgotTheChallenge(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	form := v.challenge("mfa")
	s.garmin.Advance(time.Hour)
	v.code(form, garmintest.DemoCode).want(http.StatusUnprocessableEntity).wantProblem("The code came too late").wantState("not_linked")
	s.wantEvents(v.id, "code_asked: not_linked -> mfa_pending", "expired: mfa_pending -> not_linked")
}

func TestAnotherCodeCanBeAskedForAfterAWhile(t *testing.T) {
	t.Parallel()
	s := serving(t)
	const email = "random@garmin.example"
	s.garmin.Add(garmintest.Account{Email: email, Password: garmintest.DemoPassword, MFA: "sms"})
	v := s.runner("runner")
	form := v.challenge("random")
	first := s.garmin.LastCode(email)

	soon := v.post("/link/mfa/resend", "challenge", form.value("challenge")).want(http.StatusTooManyRequests)
	soon.wantProblem("A code is on its way").wantState("mfa_pending").wantWait(1, 30)
	s.wantCalls(garmintest.OpResend, 0)
	s.advance(30 * time.Second)
	v.follow(v.post("/link/mfa/resend", "challenge", form.value("challenge")).wantRedirect("/link/mfa")).
		wantNotice("Garmin is sending a new code.").wantState("mfa_pending")
	s.wantCalls(garmintest.OpResend, 1)

	if second := s.garmin.LastCode(email); second != first {
		v.code(form, first).want(http.StatusUnprocessableEntity)
	}
	v.follow(v.code(form, s.garmin.LastCode(email))).wantState("active")
}

func TestNoOtherCodeToBeHad(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	form := v.challenge("mfa")
	s.advance(30 * time.Second)
	s.garmin.Fail(garmintest.OpResend, garmintest.RespondType(http.StatusBadRequest, "MFA_CODE_LIMIT", "codeEntryMaxLimit"), 1)
	v.post("/link/mfa/resend", "challenge", form.value("challenge")).want(http.StatusUnprocessableEntity).
		wantProblem("Garmin sends no new code for this sign-in").wantState("mfa_pending")
	v.follow(v.code(form, garmintest.DemoCode)).wantState("active")
}

func TestCancelBringsBackWhatWas(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	form := v.challenge("mfa")
	v.follow(v.post("/link/cancel").wantRedirect("/link")).wantNotice("The sign-in to Garmin was cancelled.").wantState("not_linked")
	v.code(form, garmintest.DemoCode).want(http.StatusConflict)
	s.wantEvents(v.id, "code_asked: not_linked -> mfa_pending", "cancelled: mfa_pending -> not_linked")

	v.code(v.challenge("mfa"), garmintest.DemoCode).wantRedirect("/link")
	v.challenge("mfa").wantText("Your former link still works")
	v.follow(v.post("/link/cancel").wantRedirect("/link")).wantState("active")
	v.post("/link/validate").wantRedirect("/link")
}

// An attempt that Garmin did not judge is given back.
func TestCodeThatGarminDidNotJudgeIsNotCharged(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	form := v.challenge("mfa")
	s.garmin.Fail(garmintest.OpVerify, garmintest.ServerError, 1)
	down := v.code(form, garmintest.DemoCode).want(http.StatusServiceUnavailable)
	down.wantProblem("Garmin does not answer").wantText("5 attempts left").wantWait(1, 3600)
	if strings.Contains(down.source, garmintest.DemoCode) {
		t.Error("the code is on the page")
	}
	v.follow(v.code(form, garmintest.DemoCode)).wantState("active")
}
