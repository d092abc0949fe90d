package web

import (
	"crypto/rand"

	"github.com/labstack/echo/v4"
)

// Scripts run by nonce alone, and only htmx may turn text into elements: its
// hx-csp obeys no element without the nonce. Referrers stay within the site;
// with none at all, old browsers would send forms with Origin: null.
const contentPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
	"base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types htmx; script-src 'nonce-"

const policyHeader = "Content-Security-Policy"

const permissions = "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), " +
	"magnetometer=(), microphone=(), midi=(), payment=(), usb=()"

const twoYears = "max-age=63072000"

// secure sets the headers that every answer has, and those of pages. Nothing is
// kept by browsers or proxies unless its handler says otherwise.
func (s *Server) secure(next echo.HandlerFunc) echo.HandlerFunc {
	https := s.BaseURL.Scheme == "https"
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		if https {
			h.Set("Strict-Transport-Security", twoYears)
		}
		if c.Path() == programsPath {
			h.Set(policyHeader, "default-src 'none'; frame-ancestors 'none'") // a browser that comes here shows text
		} else {
			securePage(c)
		}
		return next(c)
	}
}

func securePage(c echo.Context) {
	nonce := rand.Text()
	c.Set(nonceKey, nonce)
	h := c.Response().Header()
	h.Set(policyHeader, contentPolicy+nonce+"'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Permissions-Policy", permissions)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

func nonceOf(c echo.Context) string {
	nonce, _ := c.Get(nonceKey).(string)
	return nonce
}
