package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// refusal of Garmin's, and what the user is told.
type garminRefusal struct {
	name    string
	account string // of the demo accounts; "" is plain
	fault   garmintest.Fault
	status  int
	problem string
	does    string        // what the user is told to do
	wait    time.Duration // that the answer names; 0: none, or any
}

var garminRefusals = []garminRefusal{
	{name: "locked", account: "locked", status: 422, problem: "Garmin has locked this account", does: "unlock the account"},
	{name: "child", account: "child", status: 422, problem: "Accounts of children cannot be linked", does: "account of your own"},
	{name: "captcha", account: "captcha", status: 422, problem: "Garmin wants to see that you are human", does: "there the puzzle can be solved"},
	{name: "edge block", fault: garmintest.EdgeBlocked, status: 422, problem: "Garmin’s guard turned our server away", does: "Sign in on Garmin’s own page instead"},
	{name: "flow refused", fault: garmintest.FlowRefused, status: 422, problem: "Garmin’s guard turned our server away", does: "Sign in on Garmin’s own page instead"},
	{name: "429 in HTML", fault: garmintest.AddressLimited(90 * time.Second), status: 429, problem: "Garmin asks us to slow down", does: "Sign in on Garmin’s own page instead", wait: 90 * time.Second},
	{name: "429 in HTML, no end named", fault: garmintest.AddressLimited(0), status: 429, problem: "Garmin asks us to slow down", does: "Sign in on Garmin’s own page instead", wait: 15 * time.Minute},
	{name: "429 in JSON", fault: garmintest.ClientLimited(429, 90*time.Second), status: 429, problem: "Garmin asks us to slow down", does: "Sign in on Garmin’s own page instead", wait: 90 * time.Second},
	{name: "429 in JSON under 200", fault: garmintest.ClientLimited(200, 0), status: 429, problem: "Garmin asks us to slow down", does: "Sign in on Garmin’s own page instead", wait: 15 * time.Minute},
	{name: "502", fault: garmintest.ServerError, status: 503, problem: "Garmin does not answer", does: "Try again in a few minutes"},
	{name: "connection broken", fault: garmintest.Reset, status: 503, problem: "Garmin does not answer", does: "Try again in a few minutes"},
	{name: "answer cut", fault: garmintest.Truncated, status: 503, problem: "Garmin does not answer", does: "Try again in a few minutes"},
	{name: "answer too long", fault: garmintest.Huge, status: 503, problem: "Garmin does not answer", does: "Try again in a few minutes"},
	{name: "page for JSON", fault: garmintest.NonJSON, status: 503, problem: "Garmin does not answer", does: "Try again in a few minutes"},
	{name: "unknown answer", fault: garmintest.UnknownType, status: 422, problem: "Garmin gave an answer that we do not know", does: "tell support the reference"},
}

func (r garminRefusal) email() string {
	if r.account == "" {
		return "plain@garmin.example"
	}
	return r.account + "@garmin.example"
}

func TestRefusalsOfGarminAreToldApart(t *testing.T) {
	t.Parallel()
	for _, r := range garminRefusals {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			s := serving(t)
			v := s.runner("runner")
			if r.fault != nil {
				s.garmin.Fail(garmintest.OpLogin, r.fault, 1)
			}
			answer := v.linkWith(r.email(), garmintest.DemoPassword, garmintest.Global).want(r.status)
			answer.wantProblem(r.problem).wantState("not_linked").wantText(r.does)
			if answer.value("email") != r.email() || answer.value("password") != "" {
				t.Errorf("the form holds %q and %q", answer.value("email"), answer.value("password"))
			}
			if r.status == http.StatusTooManyRequests {
				answer.wantWait(int(r.wait.Seconds())-2, int(r.wait.Seconds()))
				answer.wantText("Nothing is wrong with your password")
			}
			s.wantCalls(garmintest.OpLogin, 1) // a login is never repeated by itself
			s.wantState(v.id, "not_linked")
			s.wantEvents(v.id)
		})
	}
}

// The reference on the page is the one that the log has, next to the cause.
func TestUnknownAnswerHasAReferenceForSupport(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	replica := s.replica()
	v := s.runner("runner")
	s.garmin.Fail(garmintest.OpLogin, garmintest.UnknownType, 1)
	answer := v.link("plain").want(http.StatusUnprocessableEntity)
	reference := textOf(answer.find(tag("code"))[0])
	if reference != answer.header.Get("X-Request-Id") {
		t.Errorf("the page names %q, the header %q", reference, answer.header.Get("X-Request-Id"))
	}
	replica.await(t, "refused", "request_id", reference)
}

func TestRefusalKeepsALinkThatWorks(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	v.link("plain").wantRedirect("/link")
	s.advance(time.Minute) // or it would be a double click
	s.garmin.Fail(garmintest.OpLogin, garmintest.EdgeBlocked, 1)
	v.link("plain").want(http.StatusUnprocessableEntity).wantProblem("Garmin’s guard turned our server away").wantState("active")
	v.post("/link/validate").wantRedirect("/link")
	s.wantEvents(v.id, "login_done: not_linked -> active")
}

// While Garmin limits our address, nobody's password is sent there.
func TestLimitOfOurAddressHoldsForAllUsers(t *testing.T) {
	t.Parallel()
	s := serving(t)
	first, second := s.runner("first"), s.runner("second")
	s.garmin.Fail(garmintest.OpLogin, garmintest.AddressLimited(2*time.Minute), 1)
	first.link("plain").want(http.StatusTooManyRequests)
	s.advance(time.Minute)
	second.link("mfa").want(http.StatusTooManyRequests).wantProblem("Garmin asks us to slow down").wantWait(50, 60)
	s.wantCalls(garmintest.OpLogin, 1)
	second.link("china").wantRedirect("/link") // other servers
	s.advance(time.Minute)
	first.link("plain").wantRedirect("/link")
}

func TestLimitOfAnAccountHoldsForThatAccount(t *testing.T) {
	t.Parallel()
	s := serving(t)
	first, second := s.runner("first"), s.runner("second")
	s.garmin.Fail(garmintest.OpLogin, garmintest.ClientLimited(429, 2*time.Minute), 1)
	first.link("plain").want(http.StatusTooManyRequests)
	second.link("plain").want(http.StatusTooManyRequests).wantWait(100, 120)
	second.link("mfa").wantRedirect("/link/mfa")
	s.wantCalls(garmintest.OpLogin, 2)
}

func TestTenFailedLoginsADay(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	for range 10 {
		v.linkWith("plain@garmin.example", "not the password", garmintest.Global).want(http.StatusUnprocessableEntity)
		s.advance(time.Minute)
	}
	v.link("plain").want(http.StatusTooManyRequests).wantProblem("Too many failed sign-ins to Garmin today").wantWait(23*3600, 24*3600)
	s.wantCalls(garmintest.OpLogin, 10)
	s.runner("other").link("plain").wantRedirect("/link")
	s.advance(24 * time.Hour)
	v.link("mfa").wantRedirect("/link/mfa")
}

func TestThreeGarminAccountsADay(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	for _, name := range []string{"one", "two", "three"} {
		v.linkWith(name+"@garmin.example", "not the password", garmintest.Global).want(http.StatusUnprocessableEntity)
	}
	v.link("plain").want(http.StatusTooManyRequests).wantProblem("Too many Garmin accounts today").wantWait(23*3600, 24*3600)
	s.wantCalls(garmintest.OpLogin, 3)
	v.linkWith("ONE@garmin.example", "not the password", garmintest.Global).want(http.StatusUnprocessableEntity)
}

// A fresh token that the API refuses for a moment is no link, and no failure.
func TestFreshTokenThatIsRefusedForAMoment(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	s.garmin.Fail(garmintest.OpProfile, garmintest.Unauthorized, 1)
	v.follow(v.link("plain").wantRedirect("/link")).wantState("active")
	s.wantCalls(garmintest.OpProfile, 2)
}

func TestSessionThatTheAPIRefusesIsNoLink(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	s.garmin.Fail(garmintest.OpProfile, garmintest.Unauthorized, 0)
	v.link("plain").want(http.StatusServiceUnavailable).wantProblem("Garmin’s door opened, and closed again").wantState("not_linked")
	s.wantState(v.id, "not_linked")
	s.wantEvents(v.id)
}
