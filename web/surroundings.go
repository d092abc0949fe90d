package web

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

// maxBody is in bytes. The largest forms hold a session or a whole page of
// Garmin's, of some 15,000 characters, with every other one escaped.
const maxBody = 256 << 10

// Keys of what a request carries along.
const (
	idKey      = "request_id"
	nonceKey   = "nonce"
	visitorKey = "visitor"
	localeKey  = "locale" // what a host application says that its user reads
	linkKey    = "link"
)

// requestID names the request in logs, in the history of links and to support.
// A name that came from outside would let anyone write into them.
func requestID(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		c.Set(idKey, id.String())
		c.Response().Header().Set(echo.HeaderXRequestID, id.String())
		return next(c)
	}
}

func idOf(c echo.Context) string {
	id, _ := c.Get(idKey).(string)
	return id
}

// record answers errors and writes one line for each request: the pattern of
// its route, never its path or query, which may hold anything.
func (s *Server) record(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		began := time.Now()
		if err := next(c); err != nil {
			s.fail(err, c)
		}
		took := time.Since(began)
		r, status, route := c.Request(), c.Response().Status, routeOf(c)
		attrs := []slog.Attr{
			slog.String("request_id", idOf(c)), slog.String("method", methodOf(r)), slog.String("route", route),
			slog.Int("status", status), slog.Int64("bytes", c.Response().Size),
			slog.String("took", took.String()), slog.String("client", networkOf(c.RealIP())),
		}
		if v, ok := visitorOf(c); ok {
			attrs = append(attrs, slog.Any("user", v.ID))
		}
		s.Log.LogAttrs(r.Context(), slog.LevelInfo, "request", attrs...)
		if c.Response().Header().Get(echo.HeaderContentType) != eventStream { // it lasts as long as its page
			s.Observe(methodOf(r), route, status, took)
		}
		return nil
	}
}

// routeOf is the pattern of the route: the API's own, if that answered.
func routeOf(c echo.Context) string { return cmp.Or(c.Request().Pattern, c.Path(), "none") }

// methodOf keeps invented methods out of logs and metrics.
func methodOf(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	default:
		return "other"
	}
}

// recovered turns a panic into an error of ours, which has the stack.
var recovered = middleware.RecoverWithConfig(middleware.RecoverConfig{
	DisableErrorHandler: true, DisableStackAll: true,
	LogErrorFunc: func(_ echo.Context, p error, stack []byte) error { return fmt.Errorf("panic: %v\n%s", p, stack) },
})

func limitBody(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		r.Body = http.MaxBytesReader(c.Response().Writer, r.Body, maxBody)
		return next(c)
	}
}

// sameOrigin refuses forms that a page of another site sent. It believes
// Sec-Fetch-Site, and Origin from browsers that do not know it; the address in
// a browser may differ from the Host that a proxy passes on, so it is named.
// The API looks at no cookie, so nobody's browser can be used against him there.
func sameOrigin(base *url.URL) (echo.MiddlewareFunc, error) {
	protection := http.NewCrossOriginProtection()
	if err := protection.AddTrustedOrigin(base.String()); err != nil {
		return nil, err
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if err := protection.Check(c.Request()); err != nil && !ofAPI(c) {
				return echo.ErrForbidden.WithInternal(err)
			}
			return next(c)
		}
	}, nil
}
