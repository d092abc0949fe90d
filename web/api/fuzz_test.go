package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"unicode/utf8"

	"github.com/labstack/echo/v4"
)

// fuzzBody finds bodies that break the reader, that the contract does not
// allow, or whose refusal is no answer to a program.
func fuzzBody[T any, P interface {
	*T
	body
}](f *testing.F, schema string, seeds ...string) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		err := reading(text, P(new(T)))
		if err == nil {
			if err := contractOf(t).allows(schema, []byte(text)); err != nil {
				t.Errorf("%q was taken: %v", text, err)
			}
			return
		}
		checkRefusal(t, err, CodeMalformedJSON, CodeInvalidBody)
	})
}

func checkRefusal(t *testing.T, err error, codes ...Code) {
	t.Helper()
	r, ok := errors.AsType[*refusal](err)
	if !ok {
		t.Fatalf("refused by %v", err)
	}
	for _, code := range codes {
		if r.Code == code && r.Detail != "" && utf8.ValidString(r.Detail) {
			return
		}
	}
	t.Errorf("refused as %+v", r.Problem)
}

func FuzzCheckOut(f *testing.F) {
	fuzzBody[CheckOutRequest](f, "CheckOutRequest",
		`{"format":"garth","min_ttl":900,"refresh_token":false}`, `{"format":"bearer","min_ttl":-0}`, `{"format":"garth","min_ttl":1e2}`)
}

func FuzzReport(f *testing.F) {
	fuzzBody[ReportRequest](f, "ReportRequest",
		`{"generation":42,"outcome":"ok","observed_at":"2026-05-01T06:00:00Z"}`, `{"generation":1,"outcome":"unauthorized","observed_at":"2026-02-29T24:00:00-99:99"}`)
}

// FuzzReports has batches, whose reports are judged each alone.
func FuzzReports(f *testing.F) {
	f.Add(`{"reports":[{"user":"ext:42","generation":42,"outcome":"ok"},{"user":"01978a3c-6f7e-7c3b-9a56-0d3f5a1b2c4d","generation":7,"outcome":"rate_limited"}]}`)
	f.Add(`{"reports":[null,{"user":"ext:\u0000"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var r ReportsRequest
		if err := reading(text, &r); err != nil {
			checkRefusal(t, err, CodeMalformedJSON, CodeInvalidBody)
			return
		}
		var sound []ReportFor
		for _, one := range r.Reports {
			if one.faults() == nil {
				sound = append(sound, one)
			}
		}
		if sound == nil {
			return
		}
		taken, err := json.Marshal(ReportsRequest{Reports: sound})
		if err != nil {
			t.Fatal(err)
		}
		if err := contractOf(t).allows("ReportsRequest", taken); err != nil {
			t.Errorf("of %q were taken %s: %v", text, taken, err)
		}
	})
}

func FuzzReportFor(f *testing.F) {
	fuzzBody[ReportFor](f, "ReportFor",
		`{"user":"ext:42","generation":42,"outcome":"ok"}`, `{"user":"ext:\u0000"}`,
		`{"user":"01978a3c-6f7e-7c3b-9a56-0d3f5a1b2c4d","generation":7,"outcome":"rate_limited"}`)
}

func FuzzSession(f *testing.F) {
	fuzzBody[SessionRequest](f, "SessionRequest", `{"session":"W10=","email":"runner@example.com"}`, `{"session":"{}","email":null}`)
}

func FuzzConnectSession(f *testing.F) {
	fuzzBody[ConnectSessionRequest](f, "ConnectSessionRequest",
		`{"user":"ext:42","email":"runner@example.com","return_url":"https://app.example.com/back","state":"9pYc2VtRZ0u4","region":"garmin.cn","locale":"en-GB","purpose":"relink"}`)
}

func FuzzCompletion(f *testing.F) {
	fuzzBody[CompletionRequest](f, "CompletionRequest", `{"code":"0tYk3sQmWc9Lr5Vb7Nh2"}`)
}

func FuzzQuery(f *testing.F) {
	f.Add("limit=1&cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&state=active&updated_after=2026-05-01T06:00:00Z")
	f.Add("limit=999999999999999999999&after=-1&types=link.active,link.active&wait=56")
	f.Fuzz(func(t *testing.T, raw string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL = &url.URL{Path: "/", RawQuery: raw}
		q := queryOf(echo.New().NewContext(r, httptest.NewRecorder()))
		place := q.place()
		q.state()
		q.time("updated_after")
		q.types()
		limit, wait := q.number("limit", defaultLimit, 1, maxLimit), q.number("wait", 0, 0, maxWait)
		after := q.event("after")
		if err := q.rest(); err != nil {
			checkRefusal(t, err, CodeInvalidParameter)
			return
		}
		if limit < 1 || limit > maxLimit || wait < 0 || wait > maxWait || after < 0 {
			t.Errorf("%s: limit %d, wait %d, after %d", raw, limit, wait, after)
		}
		if sent := r.URL.Query().Get("cursor"); sent != "" && cursorOf(place) != sent {
			t.Errorf("the cursor %s was taken as %s", sent, cursorOf(place))
		}
	})
}

func FuzzPresumed(f *testing.F) {
	f.Add(`"42"`, "")
	f.Add("", "*")
	f.Add(`W/"42"`, `"42", "43"`)
	f.Fuzz(func(t *testing.T, match, noneMatch string) {
		r := httptest.NewRequest(http.MethodPut, "/", nil)
		if match != "" {
			r.Header["If-Match"] = []string{match}
		}
		if noneMatch != "" {
			r.Header["If-None-Match"] = []string{noneMatch}
		}
		generation, err := presumed(echo.New().NewContext(r, httptest.NewRecorder()))
		if err != nil {
			checkRefusal(t, err, CodeInvalidParameter, CodePreconditionRequired)
		} else if (generation > 0) != (noneMatch == "") {
			t.Errorf("%s and %s presume %d", match, noneMatch, generation)
		}
	})
}
