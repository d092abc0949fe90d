package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/views"
)

// showPrompt is what every open page asks for when its user's link has changed.
func (s *Server) showPrompt(c echo.Context) error {
	if anothers(c, c.QueryParam("as")) {
		return c.NoContent(http.StatusConflict) // see showStatus
	}
	l, err := s.linkOf(c)
	if err != nil {
		return err
	}
	return s.renderPrompt(c, promptView(l))
}

// promptView is what a link needs of its user, wherever he is. That he has to
// sign in for the first time, its own page says.
func promptView(l link.Link) views.Prompt {
	if l.State.Session != link.Dead && l.ReconnectBefore.IsZero() {
		return views.Prompt{}
	}
	return views.Prompt{State: l.State.String(), Reconnect: views.By(l.ReconnectBefore, l.AsOf), Asking: askingView(l)}
}

// promptOf is the prompt of a page as it comes; nil for those who have no link
// of their own here. A page must not fail for its sake: it asks again soon.
func (s *Server) promptOf(c echo.Context, status int) *views.Prompt {
	v, known := visitorOf(c)
	if !known || v.connect != nil {
		return nil
	}
	if status >= http.StatusInternalServerError {
		return &views.Prompt{} // what has failed is not asked again
	}
	l, err := s.linkOf(c)
	if err != nil {
		s.Log.WarnContext(c.Request().Context(), "no prompt", "request_id", idOf(c), "error", err)
		return &views.Prompt{}
	}
	p := promptView(l)
	return &p
}
