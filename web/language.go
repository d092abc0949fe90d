package web

import (
	"cmp"
	"context"
	"net/http"

	"github.com/labstack/echo/v4"
	"golang.org/x/text/language"

	"github.com/garminlink/garminlink/views"
)

const languagePath = "/language"

// languages finds the one of ours that is nearest to what is wanted. Those who
// read any Chinese get ours.
var languages = language.NewMatcher(func() (tags []language.Tag) {
	for _, l := range views.Languages {
		tags = append(tags, language.MustParse(l.Tag))
	}
	return tags
}())

// languageOf is what the visitor reads: what he has set, or what this browser
// was told before he signed in, or what the host application says of him, or
// what the browser asks for.
func (s *Server) languageOf(c echo.Context) string {
	v, _ := visitorOf(c)
	ofHost, _ := c.Get(localeKey).(string)
	return nearest(v.Language, s.chosenLanguage(c), ofHost, c.Request().Header.Get("Accept-Language"))
}

// nearest is our language for the first of what is wanted, each a tag or a list
// of them, for which there is one.
func nearest(wishes ...string) string {
	for _, wanted := range wishes {
		tags, _, err := language.ParseAcceptLanguage(wanted)
		if err != nil || wanted == "" {
			continue
		}
		if _, i, sure := languages.Match(tags...); sure > language.No {
			return views.Languages[i].Tag
		}
	}
	return views.Languages[0].Tag
}

// speaking is the context of the request in the visitor's language.
func (s *Server) speaking(c echo.Context) context.Context {
	return views.In(c.Request().Context(), s.languageOf(c))
}

// words are the texts in the visitor's language.
func (s *Server) words(c echo.Context) *texts { return s.texts[s.languageOf(c)] }

// offered reports that tag is one of ours, or empty, for the browser's.
func offered(tag string) bool {
	for _, l := range views.Languages {
		if l.Tag == tag {
			return true
		}
	}
	return tag == ""
}

// chooseLanguage keeps what somebody who is not signed in reads in this
// browser, and leads back to where he was.
func (s *Server) chooseLanguage(c echo.Context) error {
	if err := readForm(c); err != nil {
		return err
	}
	tag := entered(c, "language")
	if !offered(tag) {
		return echo.ErrBadRequest
	}
	s.keepLanguage(c, tag)
	return c.Redirect(http.StatusSeeOther, cmp.Or(localPath(entered(c, "next")), "/"))
}

const languageSeconds = 365 * 24 * 60 * 60

// keepLanguage makes this browser speak it to whoever has set none.
func (s *Server) keepLanguage(c echo.Context, tag string) {
	maxAge := languageSeconds
	if tag == "" {
		maxAge = -1
	}
	c.SetCookie(s.languageCookie(tag, maxAge))
}

// chosenLanguage is what was kept; "" for the browser's.
func (s *Server) chosenLanguage(c echo.Context) string {
	cookie, err := c.Cookie(s.languageCookie("", 0).Name)
	if err != nil || !offered(cookie.Value) {
		return ""
	}
	return cookie.Value
}

func (s *Server) languageCookie(value string, maxAge int) *http.Cookie {
	name, secure := cookieName(s.BaseURL, "garminlink-language")
	return &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: maxAge,
		Secure: secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}
