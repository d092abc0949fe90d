package web

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/views"
)

const linesPerPage = 50

// showHistory begins before the event that the query names. On the first page
// stands, too, who has used the session.
func (s *Server) showHistory(c echo.Context) error {
	v, _ := visitorOf(c)
	ctx, now := c.Request().Context(), time.Now()
	before, err := strconv.ParseInt(cmp.Or(c.QueryParam("before"), "0"), 10, 64)
	if err != nil || before < 0 {
		return echo.ErrNotFound
	}
	past, err := s.Links.History(ctx, v.ID, before, linesPerPage+1)
	if err != nil {
		return err
	}
	page := views.History{First: before == 0}
	if len(past) > linesPerPage {
		past = past[:linesPerPage]
		page.Earlier = strconv.FormatInt(past[linesPerPage-1].ID, 10)
	}
	for _, p := range past {
		page.Lines = append(page.Lines, historyLine(s.words(c), p, now))
	}
	if page.First {
		if page.Uses, err = s.usesView(c, v, now); err != nil {
			return err
		}
	}
	return s.render(c, http.StatusOK, page)
}

func (s *Server) usesView(c echo.Context, v visitor, now time.Time) (all []views.Use, err error) {
	uses, err := s.Links.Uses(c.Request().Context(), v.ID)
	for _, u := range uses {
		use := views.Use{Program: cmp.Or(u.Program, s.words(c).History.Program), Last: views.At(u.Last, now), Renewal: u.Renewal}
		for _, d := range u.Days {
			use.Days = append(use.Days, views.UseDay{On: views.At(d.On, now), Times: d.Times})
		}
		all = append(all, use)
	}
	return all, err
}

func historyLine(t *texts, p link.Past, now time.Time) views.HistoryLine {
	line := views.HistoryLine{Text: t.History.say(p), Note: p.Note, At: views.At(p.At, now), Ends: views.At(p.EndsAt, now)}
	if p.Event == link.Rejected { // what else has a reason says it by itself, or has it from before
		line.Why = t.Reasons[p.Reason]
	}
	return line
}

// say puts a line of the history into words. Beside a newer version, which
// writes what this one does not know, a page must not fail.
func (h history) say(p link.Past) string {
	words := h.Events[p.Event]
	text := cmp.Or(words[string(p.By)], words["any"], h.Unknown)
	return strings.ReplaceAll(text, "{program}", cmp.Or(p.Program, h.Program))
}
