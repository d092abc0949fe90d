package web

import (
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/views"
)

// What was typed to link outlives a sign-in that has ended meanwhile, but for
// the password: a cookie carries it past the sign-in to the same user.
const typedSeconds = 10 * 60

func (s *Server) typedCookie(value string, maxAge int) *http.Cookie {
	name, secure := cookieName(s.BaseURL, "garminlink-typed")
	return &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: maxAge,
		Secure: secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// keepTyped keeps what the form of a link holds that cannot be sent now.
func (s *Server) keepTyped(c echo.Context) {
	r := c.Request()
	if r.Method != http.MethodPost || r.URL.Path != home || readForm(c) != nil {
		return
	}
	typed := url.Values{}
	for _, field := range []string{"as", "email", "region"} {
		typed.Set(field, entered(c, field))
	}
	const most = 1 << 10 // bytes; an e-mail address has 254
	if text := typed.Encode(); len(text) <= most {
		c.SetCookie(s.typedCookie(text, typedSeconds))
	}
}

// takeTyped puts what was kept into the form, once, if it is the same user's.
func (s *Server) takeTyped(c echo.Context, f *views.GarminForm) {
	cookie, err := c.Cookie(s.typedCookie("", 0).Name)
	if err != nil {
		return
	}
	c.SetCookie(s.typedCookie("", -1))
	typed, err := url.ParseQuery(cookie.Value)
	if v, known := visitorOf(c); err == nil && known && typed.Get("as") == v.mark() {
		f.Email, f.Region, f.Open = typed.Get("email"), typed.Get("region"), true
	}
}
