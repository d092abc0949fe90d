package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/views"
)

const (
	staffPath  = "/support/staff"
	shownRoles = 50 // changes of them
)

// errNoSuchRole refuses what no form of ours sends.
var errNoSuchRole = errors.New("web: not a role")

func (s *Server) showStaff(c echo.Context) error {
	v, err := s.staffView(c)
	if err != nil {
		return err
	}
	v.Notice = s.words(c).Notices[s.takeNotice(c)]
	return s.render(c, http.StatusOK, v)
}

func (s *Server) staffView(c echo.Context) (views.Staff, error) {
	all, err := s.Accounts.Staff(c.Request().Context())
	if err != nil {
		return views.Staff{}, err
	}
	records, err := s.Accounts.RoleRecords(c.Request().Context(), shownRoles)
	if err != nil {
		return views.Staff{}, err
	}
	you, _ := visitorOf(c)
	v := views.Staff{Roles: s.roleChoices(c, "")}
	for _, u := range all {
		v.List = append(v.List, views.Colleague{Email: u.Email, Role: string(u.Role), You: u.ID == you.ID})
	}
	for _, r := range records {
		v.Changes = append(v.Changes, views.RoleChange{
			At: views.At(r.At, time.Now()), Email: r.Email, From: string(r.From), To: string(r.To), By: r.By,
		})
	}
	return v, nil
}

func (s *Server) roleChoices(c echo.Context, chosen string) (all []views.Choice) {
	for _, r := range []account.Role{account.RoleUser, account.RoleSupport, account.RoleAdmin} {
		all = append(all, views.Choice{Value: string(r), Text: s.words(c).Roles[r], Chosen: string(r) == chosen})
	}
	return all
}

// changeRole wants the password once more, as all does that gives power away.
func (s *Server) changeRole(c echo.Context) error {
	ctx := c.Request().Context()
	role, err := account.ParseRole(entered(c, "role"))
	if err != nil {
		return errNoSuchRole
	}
	if err := s.proveAgain(ctx, c); err != nil {
		return err
	}
	by, _ := visitorOf(c)
	u, err := s.Accounts.SetRole(ctx, account.RoleChange{By: by.ID, RequestID: idOf(c), Email: entered(c, "email"), Role: role})
	if errors.Is(err, account.ErrNotFound) {
		return errNoSuchColleague
	}
	if err != nil {
		return err
	}
	s.Log.InfoContext(ctx, "role changed", "request_id", idOf(c), "by", by.ID, "user", u.ID, "role", u.Role)
	v, err := s.staffView(c)
	if err != nil {
		return err
	}
	v.Notice = s.words(c).Notices[roleChanged]
	return s.done(c, staffPath, roleChanged, func() views.View { return v })
}

// errNoSuchColleague says that nobody signs in here with an e-mail address.
var errNoSuchColleague = errors.New("web: nobody signs in with this e-mail address")

func (s *Server) changeRoleAgain(c echo.Context, a answer) (views.View, error) {
	v, err := s.staffView(c)
	if err != nil {
		return nil, err
	}
	v.Email, v.Roles = entered(c, "email"), s.roleChoices(c, entered(c, "role"))
	switch a.field {
	case "email":
		v.EmailError = a.Text
	case "role":
		v.RoleError = a.Text
	case "password":
		v.PasswordError = a.Text
	default:
		v.Problem = s.problem(c, a)
	}
	return v, nil
}
