package web

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/views"
)

const settingsPath = "/settings"

// Errors of what users choose for themselves.
var (
	errOldPassword     = errors.New("web: not the password that the user has until now")
	errUnknownLanguage = errors.New("web: not a language of the pages")
)

func (s *Server) showSettings(c echo.Context) error {
	v, err := s.settingsView(c, s.takeNotice(c))
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, v)
}

func (s *Server) settingsView(c echo.Context, n notice) (views.Settings, error) {
	v, _ := visitorOf(c)
	l, err := s.linkOf(c)
	if err != nil {
		return views.Settings{}, err
	}
	signIns, err := s.Accounts.SignIns(c.Request().Context(), v.ID)
	if err != nil {
		return views.Settings{}, err
	}
	page := views.Settings{
		Notice: s.words(c).Notices[n], Linked: l.State.Session != link.None, Live: l.State.Session == link.Live,
		SendsMails: s.SendsMails, Mails: !v.NoMail, Languages: languageChoices(v.Language), PasswordRule: s.words(c).PasswordRule,
	}
	for _, one := range signIns {
		page.SignIns = append(page.SignIns, views.SignedIn{
			Here: one.ID == v.signIn, Began: views.At(one.CreatedAt, l.AsOf), Seen: views.At(one.SeenAt, l.AsOf),
		})
	}
	return page, nil
}

func languageChoices(chosen string) []views.Choice {
	all := []views.Choice{{Chosen: chosen == ""}} // the browser's
	for _, l := range views.Languages {
		all = append(all, views.Choice{Value: l.Tag, Text: l.Name, Chosen: chosen == l.Tag})
	}
	return all
}

// settingsAgain has the page of whichever of its forms has failed.
func (s *Server) settingsAgain(c echo.Context, a answer) (views.View, error) {
	v, err := s.settingsView(c, noNotice)
	if err != nil {
		return nil, err
	}
	switch a.field {
	case "old":
		v.OldError = a.Text
	case "password":
		v.PasswordError = a.Text
	case "language":
		v.LanguageError = a.Text
	default:
		v.Problem = s.problem(c, a)
	}
	return v, nil
}

// set shows the settings after the visitor has changed one.
func (s *Server) set(c echo.Context, v visitor, n notice) error {
	c.Set(visitorKey, v)
	page, err := s.settingsView(c, n)
	if err != nil {
		return err
	}
	return s.done(c, settingsPath, n, func() views.View { return page })
}

func (s *Server) setMails(c echo.Context) error {
	v, _ := visitorOf(c)
	v.NoMail = entered(c, "mails") != "on" // browsers leave out a box that is not ticked
	if err := s.Accounts.SetNoMail(c.Request().Context(), v.ID, v.NoMail); err != nil {
		return err
	}
	if v.NoMail {
		return s.set(c, v, mailOff)
	}
	return s.set(c, v, mailOn)
}

func (s *Server) setLanguage(c echo.Context) error {
	v, _ := visitorOf(c)
	v.Language = entered(c, "language")
	if !offered(v.Language) {
		return errUnknownLanguage
	}
	if err := s.Accounts.SetLanguage(c.Request().Context(), v.ID, v.Language); err != nil {
		return err
	}
	s.keepLanguage(c, v.Language)
	c.Set(visitorKey, v)
	s.leaveNotice(c, languageKept)
	return leave(c, http.StatusOK, settingsPath) // all of the page is in another language
}

func (s *Server) signOutOthers(c echo.Context) error {
	v, _ := visitorOf(c)
	if _, err := s.Accounts.SignOutOthers(c.Request().Context(), v.ID, v.signIn); err != nil {
		return err
	}
	return s.set(c, v, othersSignedOut)
}

func (s *Server) changePassword(c echo.Context) error {
	v, _ := visitorOf(c)
	ctx := c.Request().Context()
	err := s.Accounts.ChangePassword(ctx, v.Email, entered(c, "old"), entered(c, "password"), v.signIn)
	if errors.Is(err, account.ErrWrongCredentials) {
		return errOldPassword
	}
	if err != nil {
		return err
	}
	s.Log.InfoContext(ctx, "a password is changed", "request_id", idOf(c), "user", v.ID)
	return s.set(c, v, passwordChanged)
}
