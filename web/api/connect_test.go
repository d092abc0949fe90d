package api

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
)

func (p program) connect(headers ...string) (c ConnectSession) {
	p.t.Helper()
	p.do(http.MethodPost, "/connect-sessions", connectBody, headers...).want(http.StatusCreated).read(&c)
	return c
}

// comeBack is what the user does who was sent over: he links and goes back. It
// returns the code that he brings.
func (p program) comeBack(c ConnectSession, demo string) string {
	p.t.Helper()
	act := link.Act{User: c.User, By: link.ByUser, RequestID: uuid.NewString(), Connect: c.ID}
	credentials := link.Credentials{Email: demo + "@garmin.example", Password: garmintest.DemoPassword, Region: "garmin.com"}
	if _, err := p.links.Start(p.t.Context(), act, credentials); err != nil {
		p.t.Fatal(err)
	}
	address, err := p.links.Return(p.t.Context(), act, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	back, err := url.Parse(address.Reveal())
	if err != nil {
		p.t.Fatal(err)
	}
	return back.Query().Get("code")
}

func (p program) complete(id uuid.UUID, code string) *answer {
	p.t.Helper()
	return p.post("/connect-sessions/"+id.String()+"/complete", `{"code":`+quoted(code)+`}`)
}

func TestConnectSessionFromItsMakingToItsEnd(t *testing.T) {
	t.Parallel()
	p := newSite(t).program(account.ConnectCreate, account.LinksRead)
	c := p.connect()
	if c.Status != ConnectSessionStatusOpen || *c.ExternalID != "42" || c.ExpiresAt.Sub(c.CreatedAt) != 30*time.Minute ||
		c.URL == nil || !strings.HasPrefix(*c.URL, p.url+"/connect/") {
		t.Fatalf("made %+v", c)
	}
	if page, err := http.Get(*c.URL); err != nil || page.StatusCode != http.StatusOK {
		t.Errorf("its address answers %v, %v", page, err)
	}
	code := p.comeBack(c, "plain")
	status := func() (s ConnectSession) {
		p.get("/connect-sessions/" + c.ID.String()).want(http.StatusOK).read(&s)
		return s
	}
	if s := status(); s.Status != ConnectSessionStatusLinked || s.URL != nil {
		t.Errorf("it is told as %+v", s)
	}
	if l := p.link("ext:42"); l.State != LinkStateNotLinked {
		t.Errorf("before it is complete, the link is %s", l.State)
	}
	p.complete(c.ID, "guess").want(http.StatusUnprocessableEntity).wantCode(CodeCompletionCodeWrong)
	for range 2 {
		var s ConnectSession
		p.complete(c.ID, code).want(http.StatusOK).read(&s)
		if s.Status != ConnectSessionStatusCompleted {
			t.Errorf("completed as %+v", s)
		}
	}
	if l := p.link("ext:42"); l.State != LinkStateActive {
		t.Errorf("the link is %s", l.State)
	}
}

func TestRepeatedConnectRequestMakesOneSession(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p, other := s.program(account.ConnectCreate), s.program(account.ConnectCreate)
	const key = "Idempotency-Key"
	first := p.connect(key, "k1")
	if again := p.connect(key, "k1"); again.ID != first.ID || *again.URL != *first.URL {
		t.Errorf("made %+v and %+v", first, again)
	}
	if foreign := other.connect(key, "k1"); foreign.ID == first.ID {
		t.Error("another token has the same key")
	}
	changed := strings.Replace(connectBody, "9pYc2VtRZ0u4", "another-state", 1)
	p.do(http.MethodPost, "/connect-sessions", changed, key, "k1").want(http.StatusUnprocessableEntity).wantCode(CodeIdempotencyKeyReused)
	p.do(http.MethodPost, "/connect-sessions", connectBody, key, strings.Repeat("k", 256)).want(http.StatusBadRequest).wantCode(CodeInvalidParameter)
}

func (s *site) unknown(ref account.UserRef) bool {
	s.t.Helper()
	_, err := s.accounts.Find(s.t.Context(), ref)
	return errors.Is(err, account.ErrNotFound)
}

func TestConnectRequestsThatAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.program(account.ConnectCreate)
	owner, err := s.accounts.Create(t.Context(), "owner@example.com", "correct horse battery", account.RoleUser)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, old, fresh string
		status           int
		code             Code
	}{
		{"elsewhere", "app.example.com", "evil.example", http.StatusUnprocessableEntity, CodeReturnURLNotAllowed},
		{"nothing to relink", `"purpose":"link"`, `"purpose":"relink"`, http.StatusConflict, CodeNotLinked},
		{"nobody", "ext:42", uuid.NewString(), http.StatusNotFound, CodeUserNotFound},
		{"an e-mail that is none", `"purpose"`, `"email":"x","purpose"`, http.StatusUnprocessableEntity, CodeInvalidBody},
		{"an e-mail of one of ours", `"ext:42"`, `"` + owner.ID.String() + `","email":"owner@example.com"`, http.StatusUnprocessableEntity, CodeInvalidBody},
		{"a state that cannot be kept", "9pYc2VtRZ0u4", `9pYc2VtRZ0u4\u0000`, http.StatusUnprocessableEntity, CodeInvalidBody},
	} {
		body := strings.Replace(connectBody, c.old, c.fresh, 1)
		if problem := p.post("/connect-sessions", body).want(c.status).wantCode(c.code); c.code == CodeNotLinked && *problem.Action != ActionLink {
			t.Errorf("%s: to be helped by %v", c.name, problem.Action)
		}
	}
	taken := strings.Replace(connectBody, `","state"`, `?code=7","state"`, 1)
	if problem := p.post("/connect-sessions", taken).want(http.StatusUnprocessableEntity).wantCode(CodeReturnURLNotAllowed); !strings.Contains(problem.Detail, "holds one of state, code, error") {
		t.Errorf("a return_url with a code of its own: %s", problem.Detail)
	}
	p.post("/connect-sessions", strings.Replace(strings.Replace(connectBody, "app.example.com", "evil.example", 1), "ext:42", "ext:stranger", 1)).
		want(http.StatusUnprocessableEntity)
	if ref, _ := account.ParseUserRef("ext:stranger"); !s.unknown(ref) {
		t.Error("a request that was refused has made a user")
	}
	p.post("/connect-sessions", strings.Replace(connectBody, "ext:42", owner.ID.String(), 1)).want(http.StatusCreated)
}

func TestConnectSessionThatIsOver(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.program(account.ConnectCreate, account.LinksWrite)
	open, removed := p.connect(), p.connect()
	p.complete(open.ID, "early").want(http.StatusConflict).wantCode(CodeConnectSessionOver)
	code := p.comeBack(removed, "plain")
	p.do(http.MethodDelete, "/links/ext:42", "").want(http.StatusNoContent)
	p.complete(removed.ID, code).want(http.StatusConflict).wantCode(CodeConnectSessionOver)
	var c ConnectSession
	p.get("/connect-sessions/" + open.ID.String()).want(http.StatusOK).read(&c)
	if c.Status != ConnectSessionStatusSuperseded {
		t.Errorf("after the link was deleted it is %s", c.Status)
	}
	for _, path := range []string{"", "/complete"} {
		unknown := "/connect-sessions/" + uuid.NewString() + path
		method, body := http.MethodGet, ""
		if path != "" {
			method, body = http.MethodPost, `{"code":"x"}`
		}
		p.do(method, unknown, body).want(http.StatusNotFound).wantCode(CodeConnectSessionNotFound)
		p.do(method, "/connect-sessions/none"+path, body).want(http.StatusBadRequest).wantCode(CodeInvalidParameter)
	}
}

func TestLogHoldsNoSecretOfConnectSessions(t *testing.T) {
	t.Parallel()
	p := newSite(t).program(account.ConnectCreate)
	c := p.connect()
	code := p.comeBack(c, "plain")
	p.complete(c.ID, code+"x").want(http.StatusUnprocessableEntity)
	p.complete(c.ID, code).want(http.StatusOK)
	for _, secret := range []string{code, "9pYc2VtRZ0u4", strings.TrimPrefix(*c.URL, p.url+"/connect/")} {
		if strings.Contains(p.log.String(), secret) {
			t.Errorf("the log has %s", secret)
		}
	}
}
