package api

import (
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/link"
)

func (a *API) report(c echo.Context, k caller) error {
	var r ReportRequest
	if err := read(c, &r); err != nil {
		return err
	}
	applied, err := a.Links.Report(c.Request().Context(), k.act(), reportOf(r.Generation, r.Outcome, r.ObservedAt))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, ReportResult{Applied: applied})
}

func reportOf(generation int64, outcome Outcome, at *time.Time) link.Report {
	r := link.Report{Generation: generation, Outcome: link.Outcome(outcome)}
	if at != nil {
		r.ObservedAt = *at
	}
	return r
}

func (a *API) reportAll(c echo.Context, k caller) error {
	var r ReportsRequest
	if err := read(c, &r); err != nil {
		return err
	}
	users, err := a.usersOf(c, r.Reports)
	if err != nil {
		return err
	}
	results := make([]ReportForResult, len(r.Reports))
	var reports []link.ReportFor
	var places []int // of reports in the request
	for i, one := range r.Reports {
		results[i].User = one.User
		switch wrong := one.faults(); {
		case wrong != nil:
			results[i].Code, results[i].Detail = new(CodeInvalidBody), new(refuse(CodeInvalidBody).at(wrong...).Detail)
		case users[i] == uuid.Nil:
			results[i].Code = new(CodeUserNotFound)
		default:
			reports = append(reports, link.ReportFor{User: users[i], Report: reportOf(one.Generation, one.Outcome, one.ObservedAt)})
			places = append(places, i)
		}
	}
	came, err := a.Links.ReportAll(c.Request().Context(), k.act(), reports)
	if err != nil {
		return err
	}
	for at, i := range places {
		results[i].Applied, results[i].Code = came[at].Applied, a.codeOf(came[at].Err)
	}
	return c.JSON(http.StatusOK, ReportsResult{Results: results})
}

// usersOf has the zero UUID for the users of host applications whom we do not
// know, and for those whom nothing can name so.
func (a *API) usersOf(c echo.Context, reports []ReportFor) ([]uuid.UUID, error) {
	refs := make([]account.UserRef, len(reports))
	for i, r := range reports {
		refs[i], _ = account.ParseUserRef(r.User) // see faults
	}
	return a.Accounts.Resolve(c.Request().Context(), refs)
}

// codeOf is nil for a report that was taken.
func (a *API) codeOf(err error) *Code {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, link.ErrNotFound):
		return new(CodeUserNotFound)
	default:
		return new(a.judge(err).Code)
	}
}
