package api

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

// contract is openapi.yaml, to which every answer in these tests is held.
type contract struct {
	*openapi3.T
	routes routers.Router
}

var theContract = sync.OnceValues(func() (contract, error) {
	doc, err := openapi3.NewLoader().LoadFromData(spec)
	if err != nil {
		return contract{}, err
	}
	routes, err := legacy.NewRouter(doc) // validates the document, too
	return contract{doc, routes}, err
})

func contractOf(t testing.TB) contract {
	t.Helper()
	c, err := theContract()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// check holds an answer to the contract, and an accepted request, too.
func (k contract) check(t testing.TB, r *http.Request, sent []byte, answer *http.Response, body []byte) {
	t.Helper()
	r = r.Clone(r.Context())
	r.URL = &url.URL{Path: r.URL.Path, RawQuery: r.URL.RawQuery} // the router knows no escaped paths
	r.Body = io.NopCloser(bytes.NewReader(sent))
	route, parameters, err := k.routes.FindRoute(r)
	if err != nil {
		if answer.StatusCode >= 400 {
			k.checkProblem(t, r, answer, body)
		}
		return
	}
	input := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true},
	}
	refusedAlone := bytes.Contains(body, []byte(CodeInvalidBody)) // a report of a batch
	if answer.StatusCode < 300 && !refusedAlone {
		if err := openapi3filter.ValidateRequest(r.Context(), input); err != nil {
			t.Errorf("%s %s was taken: %v", r.Method, r.URL, err)
		}
	}
	err = openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: answer.StatusCode, Header: answer.Header,
		Body: io.NopCloser(bytes.NewReader(body)), Options: input.Options,
	})
	if err != nil {
		t.Errorf("%s %s: %d is not as the contract has it: %v\n%s", r.Method, r.URL, answer.StatusCode, err, body)
	}
	if answer.StatusCode >= 400 {
		k.checkProblem(t, r, answer, body)
	}
}

// checkProblem holds any error to the contract, of paths that it does not have,
// too.
func (k contract) checkProblem(t testing.TB, r *http.Request, answer *http.Response, body []byte) {
	t.Helper()
	if got := answer.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("%s %s: %d is %s", r.Method, r.URL, answer.StatusCode, got)
		return
	}
	var p Problem
	k.checkJSON(t, "Problem", body)
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatal(err)
	}
	if p.Status != answer.StatusCode || p.Status != meanings[p.Code].status || p.RequestID == "" ||
		p.RequestID != answer.Header.Get("X-Request-Id") || p.Type != "/api#"+string(p.Code) || p.Detail == "" {
		t.Errorf("%s %s: %d with %s", r.Method, r.URL, answer.StatusCode, body)
	}
	if later := p.Status == http.StatusTooManyRequests || p.Status == http.StatusServiceUnavailable; later != (p.RetryAfter != nil) {
		t.Errorf("%s %s: %d with retry_after %v", r.Method, r.URL, p.Status, p.RetryAfter)
	} else if later && answer.Header.Get("Retry-After") != strconv.Itoa(*p.RetryAfter) {
		t.Errorf("%s %s: Retry-After is %q, not %d", r.Method, r.URL, answer.Header.Get("Retry-After"), *p.RetryAfter)
	}
}

func (k contract) checkJSON(t testing.TB, schema string, body []byte) {
	t.Helper()
	if err := k.allows(schema, body); err != nil {
		t.Errorf("this is no %s: %v\n%s", schema, err, body)
	}
}

// allows fails for what a schema does not describe.
func (k contract) allows(schema string, body []byte) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return err
	}
	return k.Components.Schemas[schema].Value.VisitJSON(value, openapi3.EnableJSONSchema2020(), openapi3.EnableFormatValidation())
}

func TestTheContractIsValid(t *testing.T) {
	t.Parallel()
	k := contractOf(t)
	if err := k.Validate(t.Context(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaFormatValidation()); err != nil {
		t.Error(err)
	}
	if k.OpenAPI != "3.1.0" {
		t.Errorf("it is OpenAPI %s", k.OpenAPI)
	}
}

var parameter = regexp.MustCompile(`:(\w+)`)

func TestTheContractHasEveryRoute(t *testing.T) {
	t.Parallel()
	a, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	served := map[string]bool{}
	for _, r := range a.echo.Routes() {
		if path, ok := strings.CutPrefix(r.Path, "/api/v1"); ok && !strings.HasSuffix(path, "*") && path != "" {
			served[r.Method+" "+parameter.ReplaceAllString(path, "{$1}")] = true
		}
	}
	for path, item := range contractOf(t).Paths.Map() {
		for method, operation := range item.Operations() {
			if !served[method+" "+path] {
				t.Errorf("%s: nothing serves %s %s", operation.OperationID, method, path)
			}
			delete(served, method+" "+path)
		}
	}
	for route := range served {
		t.Errorf("the contract does not have %s", route)
	}
}

var codeLine = regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (\\d+) \\| (.+) \\|$")

func TestTheContractExplainsEveryCode(t *testing.T) {
	t.Parallel()
	schema := contractOf(t).Components.Schemas["Code"].Value
	explained := codeLine.FindAllStringSubmatch(schema.Description, -1)
	if len(explained) != len(meanings) || len(schema.Enum) != len(meanings) {
		t.Errorf("%d codes are explained, %d listed, %d meant", len(explained), len(schema.Enum), len(meanings))
	}
	for _, line := range explained {
		m, known := meanings[Code(line[1])]
		if !known || strconv.Itoa(m.status) != line[2] || !slices.Contains(schema.Enum, any(line[1])) {
			t.Errorf("%s: status %d is explained as %s", line[1], m.status, line[2])
		}
		if m.title == "" {
			t.Errorf("%s has no title", line[1])
		}
	}
}
