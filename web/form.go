package web

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/views"
)

// again draws the page of a form that failed: with what was entered, but for
// secrets, and with the answer at the field that it is about, or on top.
type again func(c echo.Context, a answer) (views.View, error)

// form is the handler of a POST: it lets act do what the form says, within the
// allowances, and shows the form again when that fails.
func (s *Server) form(act echo.HandlerFunc, again again, allowances ...allowance) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := readForm(c); err != nil {
			return err
		}
		if fromAnotherSignIn(c) {
			s.leaveNotice(c, stranger)
			return leave(c, http.StatusConflict, baseOf(c))
		}
		err := s.admit(c, allowances)
		if err == nil {
			err = act(c)
		}
		if err == nil {
			return nil
		}
		a, ofForm := s.judgeFor(c, err)
		if !ofForm {
			return err
		}
		view, failed := again(c, a)
		if failed != nil {
			return errors.Join(failed, err)
		}
		s.note(c, a, err)
		return s.render(c, a.status, view)
	}
}

// fromAnotherSignIn reports that the form stood on a page of another user, who
// has signed out in this browser since, or of another connect session. He would
// act on this user's link.
func fromAnotherSignIn(c echo.Context) bool { return anothers(c, entered(c, "as")) }

// anothers reports that a page was made for another than the visitor, whom it
// names as as.
func anothers(c echo.Context, as string) bool {
	v, known := visitorOf(c)
	return known && as != "" && as != v.mark()
}

func readForm(c echo.Context) error {
	err := c.Request().ParseForm()
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); err == nil || tooLarge {
		return err
	}
	return echo.ErrBadRequest // without the cause, which quotes the form
}

// entered is what a field of the form holds. The query is never read: it would
// end up in logs.
func entered(c echo.Context, field string) string { return c.Request().PostForm.Get(field) }
