package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/views"
)

const relinkPath = "/support/relink"

// Errors of what staff ask for.
var (
	errNoSuchUser      = errors.New("web: no user has this e-mail or id")
	errNothingToRelink = errors.New("web: the user has no link")
)

func (s *Server) showRelink(c echo.Context) error {
	return s.render(c, http.StatusOK, views.Relink{FormID: newFormID()})
}

// askRelink makes an address at which a user can sign in to Garmin again, for
// staff to send. It is shown and not kept.
func (s *Server) askRelink(c echo.Context) error {
	ctx := c.Request().Context()
	user, err := s.findUser(ctx, strings.TrimSpace(entered(c, "user")))
	if err != nil {
		return err
	}
	staff, _ := visitorOf(c)
	wanted := link.NewConnect{Purpose: link.ToRelink, Staff: staff.ID}
	if id := formID(c); id != uuid.Nil {
		wanted.Key, wanted.Request = id.String(), []byte(user.ID.String())
	}
	session, address, err := s.Links.CreateConnect(ctx, link.Act{User: user.ID, By: link.BySupport, Staff: staff.ID, RequestID: idOf(c)}, wanted)
	if link.KindOf(err) == link.NotLinked {
		return errNothingToRelink
	}
	if err != nil {
		return err
	}
	s.Log.InfoContext(ctx, "relink asked for", "request_id", idOf(c), "staff", staff.ID, "user", user.ID)
	return s.render(c, http.StatusCreated, s.relinkMade(session, address, user))
}

// findUser finds those who sign in here by their e-mail, and others by an id:
// a contact address may be anybody's.
func (s *Server) findUser(ctx context.Context, text string) (u account.User, err error) {
	if ref, failed := account.ParseUserRef(text); failed == nil {
		u, err = s.Accounts.Find(ctx, ref)
	} else {
		u, err = s.Accounts.FindByEmail(ctx, text)
	}
	if errors.Is(err, account.ErrNotFound) || errors.Is(err, account.ErrInvalidEmail) {
		err = errNoSuchUser
	}
	return u, err
}

func (s *Server) relinkMade(session link.ConnectSession, address link.Secret, user account.User) views.RelinkMade {
	v := views.RelinkMade{
		Whom:    visitView(session).Whom,
		Address: s.BaseURL.JoinPath(connectHome, address.Reveal()).String(),
		Seconds: wholeSeconds(session.ExpiresAt.Sub(session.Now)),
	}
	if session.Email != "" {
		text := s.texts[nearest(user.Language, user.Spoken)].RelinkMail
		mail := url.URL{Scheme: "mailto", Opaque: url.PathEscape(session.Email)}
		query := url.Values{"subject": {text.Subject}, "body": {text.Body + "\n\n" + v.Address + "\n"}}.Encode()
		mail.RawQuery = strings.ReplaceAll(query, "+", "%20") // mail programs show a plus as it is
		v.Mail = mail.String()
	}
	return v
}

func (s *Server) askRelinkAgain(c echo.Context, a answer) (views.View, error) {
	v := views.Relink{FormID: newFormID(), User: entered(c, "user")}
	if a.field == "user" {
		v.UserError = a.Text
	} else {
		v.Problem = s.problem(c, a)
	}
	return v, nil
}
