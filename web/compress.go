package web

import (
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/garminlink/garminlink/static"
)

// compress makes pages small. What another site makes a browser ask for goes as
// it is: the length of a compressed page would tell that site whether words of
// its own choice stand on it a second time (BREACH). Streams are not pages. Files
// come compressed, and are kept for a year: what is compressed twice would stay
// with a browser, or with a proxy before all of them.
var compress = middleware.GzipWithConfig(middleware.GzipConfig{
	MinLength: 1400, // bytes: what fits into one packet
	Skipper: func(c echo.Context) bool {
		h := c.Request().Header
		site := h.Get("Sec-Fetch-Site")
		if strings.HasPrefix(c.Request().URL.Path, static.Prefix) {
			return true
		}
		return site != "same-origin" && site != "none" || !strings.Contains(h.Get(echo.HeaderAccept), echo.MIMETextHTML)
	},
})
