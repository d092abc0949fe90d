package web

import (
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/views"
)

// How far charts go back.
const (
	chartDays  = 30
	chartHours = 48
)

// stateChart shows the days up to today; one that was not counted is a gap.
func stateChart(ctx context.Context, days []link.DayCount, now time.Time) views.Chart {
	c := views.Chart{ID: "states", Title: views.Say(ctx, "Links by state"), Text: views.Say(ctx, "How many links stood in each state at the end of each of the last 30 days, in UTC.")}
	first := now.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-chartDays)
	for i := range chartDays {
		c.Labels = append(c.Labels, views.Day(ctx, first.AddDate(0, 0, i)))
	}
	for _, state := range []string{views.Active, views.ReauthNeeded, views.MFAPending} {
		values := gaps(chartDays)
		for _, d := range days {
			if i := int(d.Day.Sub(first).Hours() / 24); d.State == state && i >= 0 && i < chartDays {
				values[i] = plus(values[i], float64(d.Links))
			}
		}
		c.Lines = append(c.Lines, views.Line{Name: views.StateName(ctx, state), Values: values})
	}
	return c
}

func hourCharts(ctx context.Context, sums []link.HourSum, now time.Time) []views.Chart {
	first := now.UTC().Truncate(time.Hour).Add((1 - chartHours) * time.Hour)
	var labels []string
	for i := range chartHours {
		at := first.Add(time.Duration(i) * time.Hour)
		labels = append(labels, views.Day(ctx, at)+" "+at.Format("15:04"))
	}
	h := hours{first: first, sums: sums}
	return []views.Chart{
		{
			ID: "checks", Title: views.Say(ctx, "Checks of links"), Labels: labels, Text: views.Say(ctx, "How many links were validated in each hour, and how many of the checks failed or ended a link."),
			Lines: []views.Line{
				{Name: views.Say(ctx, "Validated"), Values: h.count(func(s link.HourSum) bool { return s.What == "validate" && s.Outcome == "" })},
				{Name: views.Say(ctx, "Refused for good"), Values: h.count(func(s link.HourSum) bool { return s.What == link.Verdict && s.Outcome == link.VerdictDead })},
				{Name: views.Say(ctx, "No proof"), Values: h.count(func(s link.HourSum) bool { return s.What == "validate" && s.Outcome != "" })},
			},
		},
		{
			ID: "flows", Title: views.Say(ctx, "Sign-ins that Garmin let pass"), Labels: labels, Unit: "%", Lines: h.flows(),
			Text: views.Say(ctx, "The share of sign-ins by password, in each hour and by each way, that led to a session or to a code."),
		},
		{
			ID: "latency", Title: views.Say(ctx, "How long Garmin takes"), Labels: labels, Unit: "ms", Text: views.Say(ctx, "To renew or to validate a session: half were faster than the first line, 95 of 100 faster than the second."),
			Lines: []views.Line{{Name: views.Say(ctx, "Half"), Values: h.took(0.5)}, {Name: views.Say(ctx, "95 of 100"), Values: h.took(0.95)}},
		},
	}
}

// hours are sums of the hours from first on.
type hours struct {
	first time.Time
	sums  []link.HourSum
}

// each calls see with the sums of hours that are charted, and their places.
func (h hours) each(see func(i int, s link.HourSum)) {
	for _, s := range h.sums {
		if i := int(s.Hour.Sub(h.first) / time.Hour); i >= 0 && i < chartHours {
			see(i, s)
		}
	}
}

func (h hours) count(which func(link.HourSum) bool) []float64 {
	values := make([]float64, chartHours)
	h.each(func(i int, s link.HourSum) {
		if which(s) {
			values[i] += float64(s.Times)
		}
	})
	return values
}

// flows are the ways of signing in, each with its share of success.
func (h hours) flows() (lines []views.Line) {
	passed, all := map[string][]float64{}, map[string][]float64{}
	h.each(func(i int, s link.HourSum) {
		if s.What != "login" {
			return
		}
		if all[s.Flow] == nil {
			passed[s.Flow], all[s.Flow] = make([]float64, chartHours), make([]float64, chartHours)
		}
		all[s.Flow][i] += float64(s.Times)
		if s.Outcome == "" {
			passed[s.Flow][i] += float64(s.Times)
		}
	})
	for _, flow := range slices.Sorted(maps.Keys(all)) {
		values := gaps(chartHours)
		for i, n := range all[flow] {
			if n > 0 {
				values[i] = math.Round(100 * passed[flow][i] / n)
			}
		}
		lines = append(lines, views.Line{Name: flow, Values: values})
	}
	return lines
}

// took is how long a share of Garmin's answers took at most, in milliseconds.
func (h hours) took(share float64) []float64 {
	counts := make([]link.Took, chartHours)
	h.each(func(i int, s link.HourSum) {
		if s.What == "validate" || s.What == "refresh" {
			counts[i] = counts[i].Add(s.Took)
		}
	})
	values := gaps(chartHours)
	for i, t := range counts {
		if t != nil {
			values[i] = float64(t.Share(share).Milliseconds())
		}
	}
	return values
}

func gaps(n int) []float64 { return slices.Repeat([]float64{math.NaN()}, n) }

// plus adds to a value that may be a gap.
func plus(v, more float64) float64 {
	if math.IsNaN(v) {
		return more
	}
	return v + more
}
