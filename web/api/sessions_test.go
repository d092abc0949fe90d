package api

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

func (p program) checkedOut(body string) (out CheckedOut) {
	p.t.Helper()
	p.post("/links/ext:42/checkout", body).want(http.StatusOK).read(&out)
	return out
}

func TestCheckOut(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	linked(s, "42", "plain")
	p := s.program(account.SessionsCheckout)
	for body, format := range map[string]Format{
		`{"format":"garth"}`: FormatGarth, `{"format":"garminconnect","min_ttl":0}`: FormatGarminconnect, `{"format":"bearer","min_ttl":21600}`: FormatBearer,
	} {
		out := p.checkedOut(body)
		if out.Format != format || out.Domain != RegionGarminCom || out.Generation < 1 || time.Until(out.ExpiresAt) < time.Hour || out.LastValidated == nil {
			t.Errorf("%s: %+v", body, out)
		}
		if format == FormatGarth {
			raw, err := base64.StdEncoding.DecodeString(out.Session)
			if err != nil || !strings.Contains(string(raw), `"access_token"`) {
				t.Errorf("garth would get %s, %v", raw, err)
			}
		}
	}
}

func TestWithoutALinkTheUserMustAct(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if _, err := s.accounts.EnsureExternal(t.Context(), "42", ""); err != nil {
		t.Fatal(err)
	}
	p := s.program(account.SessionsCheckout)
	problem := p.post("/links/ext:42/checkout", `{"format":"bearer"}`).want(http.StatusConflict).wantCode(CodeNotLinked)
	if *problem.State != LinkStateNotLinked || problem.Reason != nil || *problem.Action != ActionLink || problem.UserMessage == nil {
		t.Errorf("%+v", problem)
	}
}

func TestAfterTheEndTheUserMustActAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	reauthNeeded(s, linked(s, "42", "plain"), "plain")
	p := s.program(account.SessionsCheckout)
	problem := p.post("/links/ext:42/checkout", `{"format":"bearer"}`).want(http.StatusConflict).wantCode(CodeReauthNeeded)
	if *problem.State != LinkStateReauthNeeded || *problem.Reason != ReasonGrantRefused || *problem.Action != ActionRelink ||
		!strings.Contains(*problem.UserMessage, "Sign in to Garmin again") {
		t.Errorf("%+v", problem)
	}
}

func TestWhileGarminIsDownItIsLater(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	linked(s, "42", "plain")
	p := s.program(account.SessionsCheckout)
	s.db.Advance(t, 30*time.Hour)
	s.garmin.Advance(30 * time.Hour)
	s.garmin.Fail(garmintest.OpRefresh, garmintest.Respond(http.StatusServiceUnavailable, "text/plain", ""), 0)
	p.post("/links/ext:42/checkout", `{"format":"bearer"}`).want(http.StatusServiceUnavailable).wantCode(CodeGarminUnavailable)
}

func TestImportByAProgram(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.program(account.LinksWrite, account.LinksRead)
	body := `{"session":` + quoted(s.session("plain")) + `,"email":"Runner@example.com"}`
	a := p.do(http.MethodPut, "/links/ext:42/session", body, "If-None-Match", "*").want(http.StatusCreated)
	var l Link
	if a.read(&l); l.State != LinkStateActive || *l.ExternalID != "42" || a.Header.Get("ETag") == "" {
		t.Errorf("%v %s", a.Header, a.body)
	}
	other := `{"session":` + quoted(s.session("second")) + `}`
	p.do(http.MethodPut, "/links/ext:42/session", other, "If-None-Match", "*").want(http.StatusPreconditionFailed).wantCode(CodeAlreadyLinked)
	taken := p.do(http.MethodPut, "/links/ext:43/session", body, "If-None-Match", "*").want(http.StatusConflict).wantCode(CodeAccountTaken)
	if *taken.State != LinkStateNotLinked || *taken.Action != ActionLink || taken.UserMessage == nil {
		t.Errorf("%s is to be helped by %v", *taken.State, *taken.Action)
	}
	if got := p.link("ext:42"); *got.GarminName != *l.GarminName {
		t.Errorf("the link is of %s", *got.GarminName)
	}
}

func TestImportRefuses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.program(account.LinksWrite)
	for _, c := range []struct {
		session string
		code    Code
	}{
		{" ", CodeSessionMissing}, {"nonsense!", CodeSessionNotBase64}, {"W10=", CodeSessionUnknown},
		{`{"oauth_token":"x","oauth_token_secret":"y"}`, CodeSessionHalf}, {strings.Repeat("x", 100_000), CodeSessionLong},
	} {
		p.do(http.MethodPut, "/links/ext:42/session", `{"session":`+quoted(c.session)+`}`, "If-None-Match", "*").
			want(http.StatusUnprocessableEntity).wantCode(c.code)
	}
	user := linked(s, "44", "plain").String()
	body := `{"session":"W10=","email":"runner@example.com"}`
	p.do(http.MethodPut, "/links/"+user+"/session", body, "If-None-Match", "*").want(http.StatusUnprocessableEntity).wantCode(CodeInvalidBody)
	p.do(http.MethodPut, "/links/ext:42/session", strings.Replace(body, "runner@", "@", 1), "If-None-Match", "*").
		want(http.StatusUnprocessableEntity).wantCode(CodeInvalidBody)
}

func TestWritesSayWhatTheyPresume(t *testing.T) {
	t.Parallel()
	p := newSite(t).program(account.LinksWrite)
	put := func(headers ...string) *answer {
		return p.do(http.MethodPut, "/links/ext:42/session", `{"session":"W10="}`, headers...)
	}
	put().want(http.StatusPreconditionRequired).wantCode(CodePreconditionRequired)
	for _, headers := range [][]string{
		{"If-Match", "42"}, {"If-Match", `W/"42"`}, {"If-Match", `"0"`}, {"If-Match", "*"}, {"If-Match", `"42", "43"`},
		{"If-None-Match", `"42"`}, {"If-Match", `"42"`, "If-None-Match", "*"}, {"If-Match", `"9999999999999999999"`},
	} {
		put(headers...).want(http.StatusBadRequest).wantCode(CodeInvalidParameter)
	}
	put("If-Match", `"42"`).want(http.StatusNotFound).wantCode(CodeUserNotFound)
}

func TestWriteBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	linked(s, "42", "plain")
	p := s.program(account.Scopes()...)
	out := p.checkedOut(`{"format":"garth","refresh_token":true}`)
	tag := p.get("/links/ext:42").Header.Get("ETag")
	renewed := `{"session":` + quoted(s.renewed(out.Session)) + `}`
	a := p.do(http.MethodPut, "/links/ext:42/session", renewed, "If-Match", tag).want(http.StatusOK)
	if a.Header.Get("ETag") == tag {
		t.Errorf("the generation is %s as before", tag)
	}
	p.do(http.MethodPut, "/links/ext:42/session", renewed, "If-Match", a.Header.Get("ETag")).want(http.StatusOK)
	other := `{"session":` + quoted(s.session("second")) + `}`
	refused := p.do(http.MethodPut, "/links/ext:42/session", other, "If-Match", a.Header.Get("ETag")).want(http.StatusConflict).wantCode(CodeOtherAccount)
	if *refused.State != LinkStateActive || refused.Action != nil {
		t.Errorf("a link that is %s is to be helped by %v", *refused.State, refused.Action)
	}
	p.do(http.MethodPut, "/links/ext:42/session", other, "If-Match", tag).want(http.StatusPreconditionFailed).wantCode(CodeGenerationMoved)
}

// Sessions go out in the body of a check-out, and nowhere else.
func TestSecretsAreNotLogged(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.program(account.Scopes()...)
	session := s.session("plain")
	p.do(http.MethodPut, "/links/ext:42/session", `{"session":`+quoted(session)+`}`, "If-None-Match", "*").want(http.StatusCreated)
	out := p.checkedOut(`{"format":"bearer"}`)
	full := p.checkedOut(`{"format":"garth","refresh_token":true}`)
	p.do(http.MethodPut, "/links/ext:42/session", `{"session":`+quoted(session)+`}`, "If-Match", `"1"`)
	p.post("/links/ext:42/checkout", `{"format":"`+full.Session+`"}`).want(http.StatusUnprocessableEntity)
	log := s.log.String()
	for _, secret := range append(s.garmin.Secrets(), session, out.Session, full.Session, p.secret.Reveal()) {
		if strings.Contains(log, secret) {
			t.Errorf("the log has the secret %.20s...", secret)
		}
	}
}

// A user who is removed while a check-out refreshes is unknown, as he is to the
// next request.
func TestAUserWhoIsRemovedMeanwhileIsUnknown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.program(account.SessionsCheckout)
	user := linked(s, "42", "plain")
	s.db.Advance(t, 25*time.Hour)
	release := s.garmin.Hold(garmintest.OpRefresh)
	answered := make(chan *answer)
	go func() { answered <- p.post("/links/ext:42/checkout", `{"format":"garth"}`) }()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := s.garmin.AwaitCalls(ctx, garmintest.OpRefresh, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.Pool.Exec(t.Context(), "DELETE FROM users WHERE id = $1", user); err != nil {
		t.Fatal(err)
	}
	release()
	(<-answered).want(http.StatusNotFound).wantCode(CodeUserNotFound)
}
