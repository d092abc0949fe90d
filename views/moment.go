package views

import (
	"context"
	"time"
)

// Moment is a point in time as it looks from another one. The zero Moment is
// never.
type Moment struct{ at, from time.Time }

// At returns t as it looks from now. A zero t is the zero Moment.
func At(t, now time.Time) Moment {
	if t.IsZero() {
		return Moment{}
	}
	return Moment{at: t.UTC(), from: now}
}

// IsZero says that it never happened.
func (m Moment) IsZero() bool { return m.at.IsZero() }

// Ahead says that it is still to come.
func (m Moment) Ahead() bool { return m.at.After(m.from) }

// ISO is for machines: RFC 3339, UTC.
func (m Moment) ISO() string { return m.at.Format(time.RFC3339) }

// Absolute is such as 22 Nov 2025, 03:41 UTC.
func (m Moment) Absolute(ctx context.Context) string {
	date := languageOf(ctx).locale.FmtDateMedium(m.at)
	return say(ctx, "{date}, {time} UTC", date, m.at.Format("15:04"))
}

// Day is such as 22 Nov, for a narrow place.
func Day(ctx context.Context, t time.Time) string {
	return say(ctx, "{day} {month}", t.Day(), languageOf(ctx).locale.MonthAbbreviated(t.Month()))
}

// Date is such as 22 Nov 2025.
func (m Moment) Date(ctx context.Context) string { return languageOf(ctx).locale.FmtDateMedium(m.at) }

// Ago is such as 3 minutes ago, or in 3 minutes.
func (m Moment) Ago(ctx context.Context) string {
	if left := m.at.Sub(m.from); left >= 10*time.Second {
		return ahead(ctx, left)
	}
	return ago(ctx, m.from.Sub(m.at))
}

// until is a wait that ends then, such as for 3 minutes.
func (m Moment) until(ctx context.Context) string {
	return say(ctx, "for another {time}", remaining(ctx, int(m.at.Sub(m.from).Seconds())))
}

// Deadline is a time to act by, as it looks from another one. The zero
// Deadline is none.
type Deadline struct{ Moment }

// By returns t as it looks from now. A zero t is the zero Deadline.
func By(t, now time.Time) Deadline { return Deadline{At(t, now)} }

// words are such as within 5 minutes, or before 3 December 2026.
func (d Deadline) words(ctx context.Context) string {
	left := d.at.Sub(d.from)
	if left < 48*time.Hour {
		return say(ctx, "within {time}", remaining(ctx, max(60, int(left.Seconds()))))
	}
	return say(ctx, "before {date}", languageOf(ctx).locale.FmtDateLong(d.at))
}

func ago(ctx context.Context, d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return say(ctx, "a few seconds ago")
	case d < time.Minute:
		return sayN(ctx, int(d.Seconds()), "{n} second ago", "{n} seconds ago")
	case d < time.Hour:
		return sayN(ctx, int(d.Minutes()), "{n} minute ago", "{n} minutes ago")
	case d < 24*time.Hour:
		return sayN(ctx, int(d.Hours()), "{n} hour ago", "{n} hours ago")
	default:
		return sayN(ctx, int(d.Hours()/24), "{n} day ago", "{n} days ago")
	}
}

func ahead(ctx context.Context, d time.Duration) string {
	switch {
	case d < time.Minute:
		return sayN(ctx, int(d.Seconds()), "in {n} second", "in {n} seconds")
	case d < time.Hour:
		return sayN(ctx, int(d.Minutes()), "in {n} minute", "in {n} minutes")
	case d < 24*time.Hour:
		return sayN(ctx, int(d.Hours()), "in {n} hour", "in {n} hours")
	default:
		return sayN(ctx, int(d.Hours()/24), "in {n} day", "in {n} days")
	}
}

// Span is how long something took or takes, in whole units.
func Span(ctx context.Context, d time.Duration) string { return remaining(ctx, int(d.Seconds())) }

// remaining is a time left, rounded up so that nobody comes early.
func remaining(ctx context.Context, seconds int) string {
	d := time.Duration(seconds) * time.Second
	switch {
	case d < time.Minute:
		return sayN(ctx, seconds, "{n} second", "{n} seconds")
	case d < 2*time.Hour:
		return sayN(ctx, int((d+time.Minute-1)/time.Minute), "{n} minute", "{n} minutes")
	default:
		return sayN(ctx, int((d+time.Hour-1)/time.Hour), "{n} hour", "{n} hours")
	}
}
