package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/account"
)

// reading reads a body as a handler does.
func reading(text string, into body) error {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(text))
	r.Header.Set(echo.HeaderContentType, "application/json; charset=utf-8")
	return read(echo.New().NewContext(r, httptest.NewRecorder()), into)
}

const aUser = `"user":"ext:42"`

// strict are bodies of each schema, and which of their fields are at fault, if
// any.
var strict = []struct {
	schema string
	empty  func() body
	bodies []strictBody
}{
	{"CheckOutRequest", func() body { return new(CheckOutRequest) }, []strictBody{
		{`{"format":"garth"}`, ""},
		{` {"refresh_token":null,"min_ttl":null,"format":"bearer"} `, ""},
		{`{"format":"garminconnect","min_ttl":0,"refresh_token":true}`, ""},
		{`{"format":"garth","min_ttl":21600}`, ""},
		{`{}`, "format"},
		{`null`, "format"},
		{`{"format":null}`, "format"},
		{`{"format":"GARTH"}`, "format"},
		{`{"format":7}`, "format"},
		{`{"format":"garth","min_ttl":-1}`, "min_ttl"},
		{`{"format":"garth","min_ttl":21601}`, "min_ttl"},
		{`{"format":"garth","min_ttl":"900"}`, "min_ttl"},
		{`{"format":"garth","min_ttl":1.5}`, "min_ttl"},
		{`{"format":"garth","min_ttl":1e99}`, "min_ttl"},
		{`{"format":"garth","refresh_token":"yes"}`, "refresh_token"},
		{`{"format":"garth","minTtl":1}`, "minTtl"},
		{`{"Format":"garth"}`, "Format"},
		{`{"format":"","min_ttl":-1}`, "format min_ttl"},
	}},
	{"ReportRequest", func() body { return new(ReportRequest) }, []strictBody{
		{`{"generation":42,"outcome":"ok"}`, ""},
		{`{"generation":9223372036854775807,"outcome":"rate_limited","observed_at":"2026-05-01T06:00:00.123+02:00"}`, ""},
		{`{"generation":0,"outcome":"ok"}`, "generation"},
		{`{"outcome":"ok"}`, "generation"},
		{`{"generation":"42","outcome":"ok"}`, "generation"},
		{`{"generation":42,"outcome":"fine"}`, "outcome"},
		{`{"generation":42,"outcome":"ok","observed_at":"yesterday"}`, "observed_at"},
		{`{"generation":42,"outcome":"ok","observed_at":1777615200}`, "observed_at"},
	}},
	{"ReportsRequest", func() body { return new(ReportsRequest) }, []strictBody{
		{`{"reports":[{` + aUser + `,"generation":42,"outcome":"ok"}]}`, ""},
		{`{"reports":[]}`, "reports"},
		{`{"reports":{}}`, "reports"},
		{`{"reports":[` + strings.Repeat(`{`+aUser+`,"generation":42,"outcome":"ok"},`, 500) + `{}]}`, "reports"},
		{`{"reports":[{` + aUser + `,"generation":42,"outcome":"ok","extra":{}}]}`, "reports[0].extra"},
		{`{"reports":["ok"]}`, "reports[0]"},
	}},
	{"ReportFor", func() body { return new(ReportFor) }, []strictBody{ // of a batch, each alone
		{`{` + aUser + `,"generation":42,"outcome":"ok","observed_at":null}`, ""},
		{`{}`, "user generation outcome"},
		{`{"user":"42","generation":42,"outcome":"ok"}`, "user"},
	}},
	{"SessionRequest", func() body { return new(SessionRequest) }, []strictBody{
		{`{"session":"W10="}`, ""},
		{`{"session":"W10=","email":"runner@example.com"}`, ""},
		{`{"session":""}`, "session"},
		{`{"session":{"oauth_token":"x"}}`, "session"},
		{`{"session":"W10=","email":""}`, "email"},
		{`{"session":"W10=","email":"` + strings.Repeat("x", 250) + `@example.com"}`, "email"},
	}},
	{"ConnectSessionRequest", func() body { return new(ConnectSessionRequest) }, []strictBody{
		{connecting(""), ""},
		{connecting(`,"region":"garmin.cn","locale":"de-CH","email":"runner@example.com"`), ""},
		{connecting(`,"region":null,"locale":null,"email":null`), ""},
		{connecting(`,"region":"garmin.de"`), "region"},
		{connecting(`,"locale":"de_DE"`), ""},
		{connecting(`,"locale":"xx"`), ""},
		{connecting(`,"locale":"no such language"`), "locale"},
		{`{}`, "user return_url state purpose"},
		{strings.Replace(connecting(""), "9pYc2VtRZ0u4", "short", 1), "state"},
		{strings.Replace(connecting(""), "9pYc2VtRZ0u4", accents(512), 1), ""},
		{strings.Replace(connecting(""), "9pYc2VtRZ0u4", accents(513), 1), "state"},
	}},
	{"CompletionRequest", func() body { return new(CompletionRequest) }, []strictBody{
		{`{"code":"0tYk3sQmWc9Lr5Vb7Nh2"}`, ""},
		{`{"code":""}`, "code"},
		{`{"code":"` + accents(256) + `"}`, "code"},
	}},
}

type strictBody struct {
	text   string
	fields string // at fault; "" if it is taken
}

// accents are so many characters, and twice as many bytes.
func accents(n int) string { return strings.Repeat("é", n) }

// connecting asks for a connect session, with further fields.
func connecting(fields string) string {
	return `{"user":"ext:42","return_url":"https://app.example.com/back","state":"9pYc2VtRZ0u4","purpose":"link"` + fields + `}`
}

func TestBodiesAreStrict(t *testing.T) {
	t.Parallel()
	for _, s := range strict {
		for _, c := range s.bodies {
			err := reading(c.text, s.empty())
			if allowed := contractOf(t).allows(s.schema, []byte(c.text)); (allowed == nil) != (err == nil) {
				t.Errorf("%s %.100s: %v, by the contract %v", s.schema, c.text, err, allowed)
			}
			if got := fieldsOf(t, err); got != c.fields {
				t.Errorf("%s %.100s: at fault are %q, not %q", s.schema, c.text, got, c.fields)
			}
		}
	}
}

// fieldsOf names the fields that err says to be at fault.
func fieldsOf(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	r, ok := err.(*refusal)
	if !ok || r.Code != CodeInvalidBody || r.Errors == nil {
		t.Fatalf("refused by %v", err)
	}
	var names []string
	for _, f := range *r.Errors {
		names = append(names, f.Field)
		if f.Detail == "" || !strings.Contains(r.Detail, f.Detail) {
			t.Errorf("%s is not explained: %s", f.Field, r.Detail)
		}
	}
	return strings.Join(names, " ")
}

func TestWhatIsNoJSONIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", " ", "{", `{"format":"garth"`, `{"format":"garth"}{}`, `{"format":"garth"} x`, `[]`, `"garth"`, `7`, "\ufeff{}",
		`{"format":"garth","format":"bearer"}`, "{\"format\":\"\xff\"}", `{'format':'garth'}`, `{"format":"garth",}`,
	} {
		err := reading(text, new(CheckOutRequest))
		if r, ok := err.(*refusal); !ok || r.Code != CodeMalformedJSON {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestBodiesNeedTheirTypeAndSize(t *testing.T) {
	t.Parallel()
	p := newSite(t).program(account.SessionsCheckout)
	body := `{"reports":[{"user":"` + uuid.NewString() + `","generation":1,"outcome":"ok"}]}`
	for _, media := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/json-patch+json", "application", ";"} {
		p.do(http.MethodPost, "/reports", body, "Content-Type", media).want(http.StatusUnsupportedMediaType)
	}
	for _, media := range []string{"application/json", "Application/JSON; charset=UTF-8"} {
		p.do(http.MethodPost, "/reports", body, "Content-Type", media).want(http.StatusOK)
	}
	p.post("/reports", body+strings.Repeat(" ", 256<<10)).want(http.StatusRequestEntityTooLarge).wantCode(CodeBodyTooLarge)
	p.post("/reports", body+strings.Repeat(" ", 256<<10-len(body))).want(http.StatusOK)
}

func TestRefusalsQuoteNoValues(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.program(account.LinksWrite)
	for _, body := range []string{`{"session":7,"hunter2":1}`, `{"session":"hunter2","email":"hunter2"}`, `{"session":"hunter2`, `"hunter2"`, `{"email":["hunter2"]}`} {
		a := p.do(http.MethodPut, "/links/ext:42/session", body, "If-None-Match", "*")
		if a.StatusCode < 400 || a.StatusCode > 499 || strings.Contains(string(a.body), "hunter2") {
			t.Errorf("%s: %d %s", body, a.StatusCode, a.body)
		}
	}
	if strings.Contains(s.log.String(), "hunter2") {
		t.Error("the log quotes a body")
	}
}
