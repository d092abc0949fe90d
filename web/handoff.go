package web

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/views"
)

// regions are where Garmin accounts live, the one of most people first.
var regions = []string{"garmin.com", "garmin.cn"}

func signInPages(of func(region string) (link.SignInPage, error)) (map[string]link.SignInPage, error) {
	pages := map[string]link.SignInPage{}
	for _, region := range regions {
		page, err := of(region)
		if err != nil {
			return nil, err
		}
		pages[region] = page
	}
	return pages, nil
}

// framesGarmin lets a page show Garmin's own, of either region, in a frame. A
// policy belongs to the document, so htmx must not bring this page into another.
func (s *Server) framesGarmin(next echo.HandlerFunc) echo.HandlerFunc {
	var origins []string
	for _, region := range regions {
		origins = append(origins, s.garmins[region].Origin)
	}
	frames := "frame-src " + strings.Join(origins, " ") + "; "
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set(policyHeader, frames+h.Get(policyHeader))
		return next(c)
	}
}

// showHandoff is for the region that is asked for, or else the link's.
func (s *Server) showHandoff(c echo.Context) error {
	region := c.QueryParam("region")
	if region == "" {
		l, err := s.linkOf(c)
		if err != nil {
			return err
		}
		region = prefilled(c, l).Region
	}
	return s.render(c, http.StatusOK, s.handoffView(region))
}

func (s *Server) handoffView(region string) views.Handoff {
	if _, known := s.garmins[region]; !known {
		region = regions[0]
	}
	page := s.garmins[region]
	return views.Handoff{
		FormID: newFormID(), Region: region,
		PageURL: page.URL, FrameURL: page.FrameURL, FrameOrigin: page.Origin,
	}
}

func (s *Server) redeemTicket(c echo.Context) error {
	l, err := s.Links.Redeem(c.Request().Context(), act(c), link.Handoff{
		Text: link.Secret(entered(c, "ticket")), Region: entered(c, "region"), Form: formID(c),
	})
	if err != nil {
		return err
	}
	return s.moved(c, l, brought)
}

func (s *Server) handoffAgain(c echo.Context, a answer) (views.View, error) {
	v, a := s.handoffView(entered(c, "region")), s.words(c).inWay(link.ByHandoff, a)
	if a.field == "ticket" {
		v.TicketError, v.Reference = a.Text, idOf(c)
	} else {
		v.Problem = s.problem(c, a)
	}
	return v, nil
}
