package views

import (
	"context"
	"io"
	"math"
	"time"
)

// PartsPath is where the parts are shown, while Garmin is simulated.
const PartsPath = "/dev/parts"

// Parts is the page of GET /dev/parts: every part that pages are made of, in
// every state, light and dark. Its words are samples, in no other language.
type Parts struct{}

func (Parts) Title(context.Context) string { return "Parts" }

func (p Parts) Render(ctx context.Context, w io.Writer) error { return parts().Render(ctx, w) }

// sampleMoment is some time before a moment that stands still, as what is
// compared with must.
func sampleMoment(ago time.Duration) Moment {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	return At(now.Add(-ago), now)
}

func sampleChart(id string) Chart {
	return Chart{
		ID: id, Title: "A chart, " + id, Text: "Four lines over a week; the second has a gap.", Unit: "ms",
		Labels: []string{"16 Nov", "17 Nov", "18 Nov", "19 Nov", "20 Nov", "21 Nov", "22 Nov"},
		Lines: []Line{
			{"First", []float64{900, 940, 960, 955, 970, 980, 990}},
			{"Second", []float64{120, 180, math.NaN(), 260, 220, 150, 110}},
			{"Third", []float64{420, 410, 400, 440, 460, 455, 430}},
			{"Fourth", []float64{40, 60, 55, 20, 10, 35, 50}},
		},
	}
}

var sampleBars = []Bar{{"Many", 1200}, {"Some", 310}, {"None", 0}}
