package api

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"
)

// body is what a request may send. Its faults are those that its type does not
// show, by the rules of openapi.yaml; none quotes what was sent, which may be
// secret.
type body interface{ faults() faults }

// read fills into from the body: one JSON object with the fields of its type,
// each once and in its very case.
func read(c echo.Context, into body) error {
	media, _, err := mime.ParseMediaType(c.Request().Header.Get(echo.HeaderContentType))
	if err != nil || media != echo.MIMEApplicationJSON {
		return refuse(CodeUnsupportedMediaType)
	}
	text, err := io.ReadAll(c.Request().Body)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return refuse(CodeBodyTooLarge)
	}
	if err != nil {
		return refuse(CodeMalformedJSON).because("The body could not be read to its end.")
	}
	if err := json.Unmarshal(text, into, json.RejectUnknownMembers(true)); err != nil {
		return misread(err)
	}
	if faults := into.faults(); faults != nil {
		return refuse(CodeInvalidBody).at(faults...)
	}
	return nil
}

// misread tells where the body is not as its type.
func misread(err error) error {
	e, ok := errors.AsType[*json.SemanticError](err)
	if !ok || e.JSONPointer == "" {
		return refuse(CodeMalformedJSON)
	}
	detail := "must be " + wanted(e.GoType)
	if errors.Is(err, json.ErrUnknownName) {
		detail = "is no field of this request"
	}
	return refuse(CodeInvalidBody).at(FieldError{Field: fieldOf(e.JSONPointer), Detail: detail})
}

// fieldOf writes /reports/3/user as reports[3].user.
func fieldOf(p jsontext.Pointer) string {
	var path strings.Builder
	for token := range p.Tokens() {
		if _, err := strconv.Atoi(token); err == nil {
			path.WriteString("[" + token + "]")
			continue
		}
		if path.Len() > 0 {
			path.WriteByte('.')
		}
		path.WriteString(printed(token))
	}
	return path.String()
}

// printed is the name of a field or parameter, which may be none of ours.
func printed(name string) string { return fmt.Sprintf("%.100s", strings.ToValidUTF8(name, "\uFFFD")) }

func wanted(t reflect.Type) string {
	switch {
	case t == nil:
		return "of another type"
	case t == reflect.TypeFor[time.Time]():
		return aTime
	case t.Kind() == reflect.Pointer:
		return wanted(t.Elem())
	case t.Kind() == reflect.String:
		return "a string"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Int || t.Kind() == reflect.Int64:
		return "a whole number"
	case t.Kind() == reflect.Slice:
		return "a list"
	default:
		return "an object"
	}
}

const aTime = "a time such as 2026-05-01T06:00:00Z"
