package views

import (
	"fmt"
	"time"
)

// Moment is a point in time, ready to print. The zero Moment is never.
type Moment struct {
	ISO      string // RFC 3339, UTC
	Absolute string // such as 22 Nov 2025, 03:41 UTC
	Ago      string // such as 3 minutes ago, or in 3 minutes
}

// At returns t as it looks from now. A zero t is the zero Moment.
func At(t, now time.Time) Moment {
	if t.IsZero() {
		return Moment{}
	}
	t = t.UTC()
	return Moment{
		ISO:      t.Format(time.RFC3339),
		Absolute: t.Format("2 Jan 2006, 15:04 UTC"),
		Ago:      ago(now.Sub(t)),
	}
}

// IsZero says that it never happened.
func (m Moment) IsZero() bool { return m.ISO == "" }

// Deadline is a moment ahead as a time to act by; "" for a zero t.
func Deadline(t, now time.Time) string {
	switch left := t.Sub(now); {
	case t.IsZero():
		return ""
	case left < 48*time.Hour:
		return "within " + remaining(max(60, int(left.Seconds())))
	default:
		return "before " + t.UTC().Format("2 January")
	}
}

func ago(d time.Duration) string {
	switch {
	case d <= -10*time.Second:
		return "in " + span(-d)
	case d < 10*time.Second:
		return "a few seconds ago"
	default:
		return span(d) + " ago"
	}
}

// span prints what has passed in whole units.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return count(int(d.Seconds()), "second")
	case d < time.Hour:
		return count(int(d.Minutes()), "minute")
	case d < 24*time.Hour:
		return count(int(d.Hours()), "hour")
	default:
		return count(int(d.Hours()/24), "day")
	}
}

// remaining prints a time left as words, rounded up so that nobody comes early.
func remaining(seconds int) string {
	d := time.Duration(seconds) * time.Second
	switch {
	case d < time.Minute:
		return count(seconds, "second")
	case d < 2*time.Hour:
		return count(int((d+time.Minute-1)/time.Minute), "minute")
	default:
		return count(int((d+time.Hour-1)/time.Hour), "hour")
	}
}

func count(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}
