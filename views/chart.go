package views

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Chart shows numbers over time as lines, and all of them as a table behind it.
// It is drawn here: no script is needed to see it.
type Chart struct {
	ID     string // on the page
	Title  string
	Text   string   // what is to be seen, in a sentence
	Unit   string   // of the numbers, such as ms; "" for things that are counted
	Labels []string // of the columns, the earliest first
	Lines  []Line
}

// Line is one line of a Chart. A value that is NaN is a gap.
type Line struct {
	Name   string
	Values []float64 // one for each label
}

// The drawing, in the units of its view box.
const (
	chartWidth, chartHeight = 640, 220
	chartLeft, chartRight   = 78, 632
	chartTop, chartBottom   = 12, 188
)

// Empty says that there is nothing to be seen.
func (c Chart) Empty() bool {
	for _, l := range c.Lines {
		for _, v := range l.Values {
			if v > 0 {
				return false
			}
		}
	}
	return true
}

// top is a round number that no value exceeds.
func (c Chart) top() float64 {
	most := 0.0
	for _, l := range c.Lines {
		for _, v := range l.Values {
			if v > most { // which NaN never is
				most = v
			}
		}
	}
	step := math.Pow(10, math.Floor(math.Log10(max(most, 1))))
	for _, times := range []float64{1, 2, 4, 5, 10} {
		if step*times >= most {
			return max(step*times, 4)
		}
	}
	return step * 10
}

func (c Chart) x(i int) float64 {
	if len(c.Labels) < 2 {
		return chartLeft
	}
	return chartLeft + float64(i)*(chartRight-chartLeft)/float64(len(c.Labels)-1)
}

func (c Chart) y(v float64) float64 { return chartBottom - v/c.top()*(chartBottom-chartTop) }

// path draws a line, with gaps. Each piece begins with a line to where it is:
// of a lone value that is a dot, by the round end of lines.
func (c Chart) path(l Line) string {
	var b strings.Builder
	begins := true
	for i, v := range l.Values {
		if math.IsNaN(v) {
			begins = true
			continue
		}
		if begins {
			fmt.Fprintf(&b, "M%.1f %.1f", c.x(i), c.y(v))
		}
		fmt.Fprintf(&b, "L%.1f %.1f", c.x(i), c.y(v))
		begins = false
	}
	return b.String()
}

// grid are the heights at which there is a rule with a number.
func (c Chart) grid() []float64 {
	top := c.top()
	return []float64{0, top / 4, top / 2, top * 3 / 4, top}
}

// ticks are the labels that are written below: the first, the last and some
// between.
func (c Chart) ticks() (at []int) {
	const most = 4
	n := len(c.Labels)
	if n <= most {
		for i := range n {
			at = append(at, i)
		}
		return at
	}
	for i := range most {
		at = append(at, i*(n-1)/(most-1))
	}
	return at
}

func (c Chart) anchor(i int) string {
	switch i {
	case 0:
		return "start"
	case len(c.Labels) - 1:
		return "end"
	default:
		return "middle"
	}
}

func coordinate(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

// number prints a value as the language of the page writes it: 12,345, or 0.5.
func number(ctx context.Context, v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case v == math.Trunc(v):
		return languageOf(ctx).print(int(v))
	default:
		return languageOf(ctx).locale.FmtNumber(v, 1)
	}
}

// Number prints a count as the language of the page writes it.
func Number(ctx context.Context, n int) string { return number(ctx, float64(n)) }

func (c Chart) withUnit(ctx context.Context, v float64) string {
	if c.Unit == "" || math.IsNaN(v) {
		return number(ctx, v)
	}
	return number(ctx, v) + " " + c.Unit
}
