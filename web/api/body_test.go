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

func TestBodiesAreStrict(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("é", n) }
	connect := func(fields string) string {
		return `{"user":"ext:42","return_url":"https://app.example.com/back","state":"9pYc2VtRZ0u4","purpose":"link"` + fields + `}`
	}
	for _, c := range []struct {
		schema string
		into   body
		text   string
		fields string // at fault; "" if it is taken
	}{
		{"CheckOutRequest", new(CheckOutRequest), `{"format":"garth"}`, ""},
		{"CheckOutRequest", new(CheckOutRequest), ` {"refresh_token":null,"min_ttl":null,"format":"bearer"} `, ""},
		{"CheckOutRequest", new(CheckOutRequest), `{"format":"garminconnect","min_ttl":0,"refresh_token":true}`, ""},
		{"CheckOutRequest", new(CheckOutRequest), `{"format":"garth","min_ttl":21600}`, ""},
		{"CheckOutRequest", new(CheckOutRequest), `{}`, "format"},
		{"CheckOutRequest", new(CheckOutRequest), `null`, "format"},
		{"CheckOutRequest", new(CheckOutRequest), `{"format":null}`, "format"},
		{"CheckOutRequest", new(CheckOutRequest), `{"format":"GARTH"}`, "format"},
		{"CheckOutRequest", new(CheckOutRequest), `{"format":7}`, "format"},
		{"CheckOutRequest", new(CheckOutRequest), `{"format":"garth","min_ttl":-1}`, "min_ttl"},
		{"CheckOutRequest", new(CheckOutRequest), `{"format":"garth","min_ttl":21601}`, "min_ttl"},
		{"CheckOutRequest", new(CheckOutRequest), `{"format":"garth","min_ttl":"900"}`, "min_ttl"},
		{"CheckOutRequest", new(CheckOutRequest), `{"format":"garth","min_ttl":1.5}`, "min_ttl"},
		{"CheckOutRequest", new(CheckOutRequest), `{"format":"garth","min_ttl":1e99}`, "min_ttl"},
		{"CheckOutRequest", new(CheckOutRequest), `{"format":"garth","refresh_token":"yes"}`, "refresh_token"},
		{"CheckOutRequest", new(CheckOutRequest), `{"format":"garth","minTtl":1}`, "minTtl"},
		{"CheckOutRequest", new(CheckOutRequest), `{"Format":"garth"}`, "Format"},
		{"CheckOutRequest", new(CheckOutRequest), `{"format":"","min_ttl":-1}`, "format min_ttl"},

		{"ReportRequest", new(ReportRequest), `{"generation":42,"outcome":"ok"}`, ""},
		{"ReportRequest", new(ReportRequest), `{"generation":9223372036854775807,"outcome":"rate_limited","observed_at":"2026-05-01T06:00:00.123+02:00"}`, ""},
		{"ReportRequest", new(ReportRequest), `{"generation":0,"outcome":"ok"}`, "generation"},
		{"ReportRequest", new(ReportRequest), `{"outcome":"ok"}`, "generation"},
		{"ReportRequest", new(ReportRequest), `{"generation":"42","outcome":"ok"}`, "generation"},
		{"ReportRequest", new(ReportRequest), `{"generation":42,"outcome":"fine"}`, "outcome"},
		{"ReportRequest", new(ReportRequest), `{"generation":42,"outcome":"ok","observed_at":"yesterday"}`, "observed_at"},
		{"ReportRequest", new(ReportRequest), `{"generation":42,"outcome":"ok","observed_at":1777615200}`, "observed_at"},

		{"ReportsRequest", new(ReportsRequest), `{"reports":[{` + aUser + `,"generation":42,"outcome":"ok"}]}`, ""},
		{"ReportsRequest", new(ReportsRequest), `{"reports":[]}`, "reports"},
		{"ReportsRequest", new(ReportsRequest), `{"reports":{}}`, "reports"},
		{"ReportsRequest", new(ReportsRequest), `{"reports":[` + strings.Repeat(`{`+aUser+`,"generation":42,"outcome":"ok"},`, 500) + `{}]}`, "reports"},
		{"ReportsRequest", new(ReportsRequest), `{"reports":[{` + aUser + `,"generation":42,"outcome":"ok"},{}]}`, "reports[1].user reports[1].generation reports[1].outcome"},
		{"ReportsRequest", new(ReportsRequest), `{"reports":[{"user":"42","generation":42,"outcome":"ok"}]}`, "reports[0].user"},
		{"ReportsRequest", new(ReportsRequest), `{"reports":[{` + aUser + `,"generation":42,"outcome":"ok","extra":{}}]}`, "reports[0].extra"},
		{"ReportsRequest", new(ReportsRequest), `{"reports":["ok"]}`, "reports[0]"},

		{"SessionRequest", new(SessionRequest), `{"session":"W10="}`, ""},
		{"SessionRequest", new(SessionRequest), `{"session":"W10=","email":"runner@example.com"}`, ""},
		{"SessionRequest", new(SessionRequest), `{"session":""}`, "session"},
		{"SessionRequest", new(SessionRequest), `{"session":{"oauth_token":"x"}}`, "session"},
		{"SessionRequest", new(SessionRequest), `{"session":"W10=","email":""}`, "email"},
		{"SessionRequest", new(SessionRequest), `{"session":"W10=","email":"` + strings.Repeat("x", 250) + `@example.com"}`, "email"},

		{"ConnectSessionRequest", new(ConnectSessionRequest), connect(""), ""},
		{"ConnectSessionRequest", new(ConnectSessionRequest), connect(`,"region":"garmin.cn","locale":"de-CH","email":"runner@example.com"`), ""},
		{"ConnectSessionRequest", new(ConnectSessionRequest), connect(`,"region":null,"locale":null,"email":null`), ""},
		{"ConnectSessionRequest", new(ConnectSessionRequest), connect(`,"region":"garmin.de"`), "region"},
		{"ConnectSessionRequest", new(ConnectSessionRequest), connect(`,"locale":"no such language"`), "locale"},
		{"ConnectSessionRequest", new(ConnectSessionRequest), `{}`, "user return_url state purpose"},
		{"ConnectSessionRequest", new(ConnectSessionRequest), strings.Replace(connect(""), "9pYc2VtRZ0u4", "short", 1), "state"},
		{"ConnectSessionRequest", new(ConnectSessionRequest), strings.Replace(connect(""), "9pYc2VtRZ0u4", long(512), 1), ""},
		{"ConnectSessionRequest", new(ConnectSessionRequest), strings.Replace(connect(""), "9pYc2VtRZ0u4", long(513), 1), "state"},

		{"CompletionRequest", new(CompletionRequest), `{"code":"0tYk3sQmWc9Lr5Vb7Nh2"}`, ""},
		{"CompletionRequest", new(CompletionRequest), `{"code":""}`, "code"},
		{"CompletionRequest", new(CompletionRequest), `{"code":"` + long(256) + `"}`, "code"},
	} {
		err := reading(c.text, c.into)
		if allowed := contractOf(t).allows(c.schema, []byte(c.text)); (allowed == nil) != (err == nil) {
			t.Errorf("%s %.100s: %v, by the contract %v", c.schema, c.text, err, allowed)
		}
		if got := fieldsOf(t, err); got != c.fields {
			t.Errorf("%s %.100s: at fault are %q, not %q", c.schema, c.text, got, c.fields)
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
