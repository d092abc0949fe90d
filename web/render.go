package web

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/views"
)

// fromHTMX reports that htmx asked, and so wants the content of #main alone.
func fromHTMX(c echo.Context) bool { return c.Request().Header.Get("HX-Request") == "true" }

// targetOf is the id of the element into which htmx puts the answer.
func targetOf(c echo.Context) string {
	_, id, _ := strings.Cut(c.Request().Header.Get("HX-Target"), "#")
	return id
}

// pageAt is the address of the page on which htmx asked; nil if it did not say.
func pageAt(c echo.Context) *url.URL {
	at, err := url.Parse(c.Request().Header.Get("HX-Current-URL"))
	if err != nil || at.Path == "" {
		return nil
	}
	return at
}

// render sends a view as a page, or as the part of one that htmx asked for.
func (s *Server) render(c echo.Context, status int, v views.View) error {
	if fromHTMX(c) {
		return s.send(c, status, s.part(c, v))
	}
	chrome := s.chrome(c)
	chrome.Prompt = s.promptOf(c, status)
	return s.send(c, status, views.Whole(chrome, v))
}

// part is what htmx puts into the element that it has named. Where the page is
// another one by now, it takes the place of all that is there.
func (s *Server) part(c echo.Context, v views.View) templ.Component {
	switch targetOf(c) {
	case views.SheetID:
		return views.Sheet(s.chrome(c), v)
	case views.Standing:
	default:
		return views.Part(s.chrome(c), v)
	}
	if l, ok := v.(views.Link); ok && l.Stands() {
		return views.StandingPart(s.chrome(c), l)
	}
	h := c.Response().Header()
	h.Set("HX-Retarget", "#main")
	h.Set("HX-Reswap", "innerHTML")
	return views.Part(s.chrome(c), v)
}

// renderStatus sends the status part, whoever asks.
func (s *Server) renderStatus(c echo.Context, v views.Status) error {
	return s.send(c, http.StatusOK, views.StatusPart(s.chrome(c), v))
}

// renderPrompt sends the prompt, whoever asks.
func (s *Server) renderPrompt(c echo.Context, p views.Prompt) error {
	return s.send(c, http.StatusOK, views.PromptPart(s.chrome(c), p))
}

// renderCounters sends the counters of the page for staff, whoever asks.
func (s *Server) renderCounters(c echo.Context, v views.Counters) error {
	return s.send(c, http.StatusOK, views.CountersPart(s.chrome(c), v))
}

// send renders first, so that a failure never sends half a page.
func (s *Server) send(c echo.Context, status int, component templ.Component) error {
	var page bytes.Buffer
	// A browser that hung up must not turn its own error into one of ours.
	if err := component.Render(context.WithoutCancel(s.speaking(c)), &page); err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("Content-Language", s.languageOf(c))
	h.Add("Vary", "Accept-Language, Cookie")
	h.Set(echo.HeaderContentLength, strconv.Itoa(page.Len()))
	return c.HTMLBlob(status, page.Bytes())
}

func (s *Server) chrome(c echo.Context) views.Chrome {
	chrome := views.Chrome{Here: c.Request().URL.RequestURI(), Language: s.chosenLanguage(c), SimulatedGarmin: s.Simulated, Nonce: nonceOf(c), Base: baseOf(c)}
	if v, ok := visitorOf(c); ok {
		chrome.SignedInEmail, chrome.SignedInID, chrome.Role = v.Email, v.mark(), string(v.Role)
	}
	return chrome
}

// done answers a form that did what it was sent for: htmx gets the view that
// stands at path, others are sent there and told n.
func (s *Server) done(c echo.Context, path string, n notice, view func() views.View) error {
	if !fromHTMX(c) {
		s.leaveNotice(c, n)
		return c.Redirect(http.StatusSeeOther, path)
	}
	if at := pageAt(c); targetOf(c) != views.SheetID && (at == nil || at.Path != path) {
		c.Response().Header().Set("HX-Push-Url", path)
	}
	return s.render(c, http.StatusOK, view())
}

// askToSignIn sends a visitor whom we do not know to the door, and back
// afterwards to the page that he asked for, or asked on. A poll is only refused: the
// page that it belongs to may have a form half filled in.
func (s *Server) askToSignIn(c echo.Context, m may) error {
	if !m.touch {
		return c.NoContent(http.StatusUnauthorized)
	}
	r := c.Request()
	if _, err := r.Cookie(s.signIns.cookies.Cookie.Name); err == nil {
		s.leaveNotice(c, ended)
	}
	s.keepTyped(c)
	door := url.URL{Path: "/signin"}
	if at := pageAt(c); fromHTMX(c) && at != nil {
		door.RawQuery = url.Values{"next": {at.RequestURI()}}.Encode()
	} else if !fromHTMX(c) { // the address of each form leads to where it stands
		door.RawQuery = url.Values{"next": {r.URL.RequestURI()}}.Encode()
	}
	return leave(c, http.StatusUnauthorized, door.String())
}

// leave makes the browser load another page whole. status is for htmx, which
// would follow a redirect by itself.
func leave(c echo.Context, status int, path string) error {
	if fromHTMX(c) {
		c.Response().Header().Set("HX-Redirect", path)
		return c.NoContent(status)
	}
	return c.Redirect(http.StatusSeeOther, path)
}
