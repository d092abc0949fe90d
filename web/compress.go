package web

import (
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

// compress makes pages small. What another site makes a browser ask for goes as
// it is: the length of a compressed page would tell that site whether words of
// its own choice stand on it a second time (BREACH). Streams are not pages.
var compress = middleware.GzipWithConfig(middleware.GzipConfig{
	MinLength: 1400, // bytes: what fits into one packet
	Skipper: func(c echo.Context) bool {
		h := c.Request().Header
		site := h.Get("Sec-Fetch-Site")
		return site != "same-origin" && site != "none" || !strings.Contains(h.Get(echo.HeaderAccept), echo.MIMETextHTML)
	},
})
