package web

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/views"
)

const (
	supportPath  = "/support"
	subjectsPath = "/support/links"
	subjectPath  = "/support/users/"
)

func (s *Server) showSupport(c echo.Context) error {
	ctx := c.Request().Context()
	days, err := s.Links.Daily(ctx, chartDays)
	if err != nil {
		return err
	}
	hours, err := s.Links.Hourly(ctx, chartHours*time.Hour)
	if err != nil {
		return err
	}
	held, err := s.heldBack(c)
	if err != nil {
		return err
	}
	now := time.Now()
	return s.render(c, http.StatusOK, views.Support{
		HeldBack: held, Counters: countersView(s.speaking(c), days, now), Reasons: s.reasonBars(c, latest(days)),
		Charts: append([]views.Chart{stateChart(s.speaking(c), days, now)}, hourCharts(s.speaking(c), hours, now)...),
	})
}

// showCounters sends the counters alone, for the page that has them.
func (s *Server) showCounters(c echo.Context) error {
	days, err := s.Links.Daily(c.Request().Context(), 2) // today may not be counted yet
	if err != nil {
		return err
	}
	return s.renderCounters(c, countersView(s.speaking(c), days, time.Now()))
}

// latest are the counts of the last day that was counted.
func latest(days []link.DayCount) (counts []link.DayCount) {
	for _, d := range days {
		if d.Day.Equal(days[len(days)-1].Day) {
			counts = append(counts, d)
		}
	}
	return counts
}

func countersView(ctx context.Context, days []link.DayCount, now time.Time) (v views.Counters) {
	sums := map[string]int{}
	for _, d := range latest(days) {
		sums[d.State] += d.Links
		v.AsOf = views.At(d.CountedAt, now)
	}
	for _, state := range []string{views.Active, views.ReauthNeeded, views.MFAPending, views.NotLinked} {
		counter := views.Counter{State: state, Name: views.StateName(ctx, state), Count: sums[state]}
		if state != views.NotLinked {
			counter.Href = subjectsPath + "?" + url.Values{"state": {state}}.Encode()
		}
		v.States = append(v.States, counter)
	}
	return v
}

func (s *Server) reasonBars(c echo.Context, counts []link.DayCount) views.Bars {
	ctx := s.speaking(c)
	b := views.Bars{ID: "reasons", Title: views.Say(ctx, "Why users must sign in again"), Text: views.Say(ctx, "Links that need their user now, by what ended them.")}
	for _, r := range link.DeadReasons {
		bar := views.Bar{Name: s.words(c).ShortReasons[r]}
		for _, d := range counts {
			if d.Reason == r {
				bar.Count += d.Links
			}
		}
		b.Bars = append(b.Bars, bar)
	}
	return b
}

// heldBack is what the banner tells. Single accounts that are left alone are no
// news.
func (s *Server) heldBack(c echo.Context) ([]views.HeldBack, error) {
	all, err := s.Links.HeldBack(c.Request().Context())
	if err != nil {
		return nil, err
	}
	var held []views.HeldBack
	for _, d := range all {
		what, host := d.Holds()
		words, known := s.words(c).HeldBack[what]
		if !known {
			continue
		}
		now := d.Until.Add(-d.Left)
		held = append(held, views.HeldBack{Title: inPlaceOf(words.Title, host), Text: inPlaceOf(words.Text, host), Until: views.At(d.Until, now)})
	}
	return held, nil
}
