package api

import (
	"fmt"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

// tellRoute tells the site before us which route this is, for its log.
func tellRoute(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Request().Pattern = c.Path()
		return next(c)
	}
}

// recovered turns a panic into an error, which has the stack; programs get one
// that they can read.
var recovered = middleware.RecoverWithConfig(middleware.RecoverConfig{
	DisableErrorHandler: true, DisableStackAll: true,
	LogErrorFunc: func(_ echo.Context, p error, stack []byte) error { return fmt.Errorf("panic: %v\n%s", p, stack) },
})

func requestID(c echo.Context) string { return c.Response().Header().Get(echo.HeaderXRequestID) }
