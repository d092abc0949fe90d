package api

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/link"
)

// refusal is a problem that is still an error. What its code says already is
// filled in when it is sent.
type refusal struct {
	Problem
	wait time.Duration // until trying again makes sense; zero: unknown
}

func refuse(code Code) *refusal {
	return &refusal{Problem: Problem{Code: code, Detail: meanings[code].detail}}
}

// Error leaves out what a request sent, which may stand in the detail.
func (r *refusal) Error() string { return "api: " + string(r.Code) }

func (r *refusal) because(detail string) *refusal {
	r.Detail = detail
	return r
}

func (r *refusal) after(wait time.Duration) *refusal {
	r.wait = wait
	return r
}

// at names the fields that are at fault.
func (r *refusal) at(fields ...FieldError) *refusal {
	var all []string
	for _, f := range fields {
		all = append(all, f.Field+": "+f.Detail)
	}
	r.Errors = &fields
	return r.because(strings.Join(all, "; "))
}

// invalid refuses a parameter or header.
func invalid(name, detail string) *refusal {
	return refuse(CodeInvalidParameter).at(FieldError{Field: name, Detail: detail})
}

// defaultWait is for what passes at an unknown time.
const defaultWait = time.Minute

// judge is the one place where an error becomes a problem.
func (a *API) judge(err error) *refusal {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r
	}
	if e, ok := errors.AsType[*link.Error](err); ok {
		return judgeLink(e)
	}
	if e, ok := errors.AsType[*echo.HTTPError](err); ok && e.Code == http.StatusNotFound {
		return refuse(CodeNotFound)
	} else if ok && e.Code == http.StatusMethodNotAllowed {
		return refuse(CodeMethodNotAllowed)
	}
	if errors.Is(err, link.ErrStoreDown) || errors.Is(err, link.ErrUnreadable) {
		return refuse(CodeUnavailable)
	}
	if errors.Is(err, link.ErrNotFound) {
		return refuse(CodeUserNotFound) // removed meanwhile
	}
	return refuse(CodeInternalError)
}

func judgeLink(e *link.Error) *refusal {
	code, ours := kindCodes[e.Kind]
	if !ours {
		return refuse(CodeInternalError)
	}
	r := refuse(code).after(e.RetryAfter)
	r.UserMessage = some(toldUsers[e.Kind])
	if e.Kind == link.InvalidReturnURL && e.Err != nil {
		r.at(FieldError{Field: "return_url", Detail: e.Err.Error()})
	}
	if e.Kind == link.LifeTooLong {
		most := int(e.Longest / time.Second)
		r.MaxTTL = &most
	}
	return r
}

// fail answers an error. A route of its own is all that the site before us
// knows of it, so the cause is logged here, once.
func (a *API) fail(err error, c echo.Context) {
	r := a.judge(err)
	m := meanings[r.Code]
	r.Type, r.Title, r.Status, r.RequestID = "/api#"+string(r.Code), m.title, m.status, requestID(c)
	a.note(c, r, err)
	if c.Response().Committed {
		return
	}
	h := c.Response().Header()
	switch r.Status {
	case http.StatusUnauthorized:
		challenge := `Bearer realm="garminlink"`
		if bearer(c.Request()) != "" {
			challenge += `, error="invalid_token"`
		}
		h.Set(echo.HeaderWWWAuthenticate, challenge)
	case http.StatusForbidden:
		h.Set(echo.HeaderWWWAuthenticate, `Bearer realm="garminlink", error="insufficient_scope", scope="`+string(*r.Scope)+`"`)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		seconds := max(1, int((cmp.Or(r.wait, defaultWait)+time.Second-1)/time.Second)) // nobody comes early
		r.RetryAfter = &seconds
		h.Set(echo.HeaderRetryAfter, strconv.Itoa(seconds))
	}
	h.Set(echo.HeaderContentType, "application/problem+json")
	if err := c.JSON(r.Status, r.Problem); err != nil {
		a.Log.DebugContext(c.Request().Context(), "problem not sent", "request_id", r.RequestID, "error", err)
	}
}

// note logs what is not the program's doing as worth a look.
func (a *API) note(c echo.Context, r *refusal, err error) {
	ctx, level := c.Request().Context(), slog.LevelInfo
	switch {
	case errors.Is(err, context.Canceled) && ctx.Err() != nil: // the program went away
	case r.Code == CodeInternalError || r.Code == CodeUnavailable:
		level = slog.LevelError
	case r.Status == http.StatusServiceUnavailable:
		level = slog.LevelWarn
	}
	attrs := []any{"request_id", r.RequestID, "status", r.Status, "code", r.Code, "error", err}
	if id := c.Get(tokenKey); id != nil {
		attrs = append(attrs, "token", id)
	}
	a.Log.Log(ctx, level, "refused", attrs...)
}
