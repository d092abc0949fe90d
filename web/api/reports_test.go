package api

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/account"
)

func TestReports(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	linked(s, "42", "plain")
	p := s.program(account.SessionsCheckout, account.LinksRead)
	generation := *p.link("ext:42").Generation
	report := func(generation int64, outcome Outcome) *answer {
		return p.post("/links/ext:42/report", fmt.Sprintf(`{"generation":%d,"outcome":%q}`, generation, outcome))
	}
	for _, outcome := range []Outcome{OutcomeUnauthorized, OutcomeRateLimited, OutcomeOk} {
		var r ReportResult
		if report(generation, outcome).want(http.StatusOK).read(&r); !r.Applied {
			t.Errorf("%s is not applied", outcome)
		}
		if last := p.link("ext:42").LastReport; last == nil || last.Outcome != outcome {
			t.Errorf("the last report is %+v, not %s", last, outcome)
		}
	}
	report(generation+1000, OutcomeOk).want(http.StatusUnprocessableEntity).wantCode(CodeGenerationUnknown)
	p.post("/links/ext:nobody/report", `{"generation":1,"outcome":"ok"}`).want(http.StatusNotFound).wantCode(CodeUserNotFound)
}

func TestManyReportsAreJudgedEachAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	user := linked(s, "42", "plain")
	p := s.program(account.SessionsCheckout, account.LinksRead)
	generation := *p.link("ext:42").Generation
	stranger := uuid.NewString()
	body := fmt.Sprintf(`{"reports":[
		{"user":"ext:42","generation":%[1]d,"outcome":"ok"},
		{"user":"ext:nobody","generation":%[1]d,"outcome":"ok"},
		{"user":"%[2]s","generation":%[1]d,"outcome":"ok","observed_at":"2100-01-01T00:00:00Z"},
		{"user":"%[3]s","generation":%[1]d,"outcome":"ok"},
		null, {"user":"42","generation":%[1]d,"outcome":"ok"}, {"user":"ext:42","generation":0,"outcome":"fine"},
		{"user":"ext:42","generation":%[4]d,"outcome":"ok"}]}`, generation, user, stranger, generation+1000)
	var r ReportsResult
	p.post("/reports", body).want(http.StatusOK).read(&r)
	var got string
	for _, one := range r.Results {
		got += fmt.Sprintf("%s %v %s %s\n", one.User, one.Applied, orZero(one.Code), orZero(one.Detail))
	}
	want := "ext:42 true  \next:nobody false user_not_found \n" + user.String() + " true  \n" + stranger + " false user_not_found \n" +
		" false invalid_body user: is required; generation: must be a generation that was checked out; outcome: is required\n" +
		"42 false invalid_body user: " + notARef + "\n" +
		"ext:42 false invalid_body generation: must be a generation that was checked out; outcome: must be one of ok, unauthorized, rate_limited\n" +
		"ext:42 false generation_unknown \n"
	if got != want {
		t.Errorf("came back\n%s\nnot\n%s", got, want)
	}
}
