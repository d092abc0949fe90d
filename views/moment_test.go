package views

import (
	"slices"
	"testing"
	"time"
)

func TestAt(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for since, want := range map[time.Duration]string{
		-time.Second:           "a few seconds ago", // clocks differ a little
		-15 * time.Second:      "in 15 seconds",
		-90 * 24 * time.Hour:   "in 90 days",
		0:                      "a few seconds ago",
		10 * time.Second:       "10 seconds ago",
		time.Minute:            "1 minute ago",
		59*time.Minute + 59e9:  "59 minutes ago",
		time.Hour:              "1 hour ago",
		47 * time.Hour:         "1 day ago",
		365 * 24 * time.Hour:   "365 days ago",
		24*time.Hour - 1:       "23 hours ago",
		48*time.Hour + 30*60e9: "2 days ago",
	} {
		if got := At(now.Add(-since), now).Ago(t.Context()); got != want {
			t.Errorf("%v before: %q, want %q", since, got, want)
		}
	}
	stockholm := time.FixedZone("CET", 3600)
	if got := At(now.In(stockholm), now).Absolute(t.Context()); got != "1 Mar 2026, 12:00 UTC" {
		t.Errorf("absolute is %q", got)
	}
	if !At(time.Time{}, now).IsZero() {
		t.Error("never has a moment")
	}
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for end, want := range map[time.Time]string{
		now.Add(5 * 24 * time.Hour): "before 3 December 2026",
		now.Add(20 * time.Hour):     "within 20 hours",
		now.Add(30 * time.Minute):   "within 30 minutes",
		now.Add(-time.Hour):         "within 1 minute",
	} {
		if got := By(end, now).words(t.Context()); got != want {
			t.Errorf("%s: %q, want %q", end, got, want)
		}
	}
}

func TestRemainingNeverSaysLessThanIsLeft(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[int]string{
		1: "1 second", 59: "59 seconds", 60: "1 minute", 61: "2 minutes",
		600: "10 minutes", 7199: "120 minutes", 7200: "2 hours", 7201: "3 hours",
	} {
		if got := remaining(t.Context(), seconds); got != want {
			t.Errorf("%d s: %q, want %q", seconds, got, want)
		}
	}
}

func TestTimesAreWrittenAsEachLanguageDoes(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 15, 4, 0, 0, time.UTC)
	for tag, want := range map[string][]string{
		"en":      {"1 Mar 2026, 15:04 UTC", "1 minute ago", "in 3 days", "before 11 March 2026", "1 Mar", "12,345.5"},
		"de":      {"01.03.2026, 15:04 UTC", "vor 1 Minute", "in 3 Tagen", "vor dem 11. März 2026", "1. März", "12.345,5"},
		"es":      {"1 mar. 2026, 15:04 UTC", "hace 1 minuto", "en 3 días", "antes del 11 de marzo de 2026", "1 mar.", "12.345,5"},
		"fr":      {"1 mars 2026, 15:04 UTC", "il y a 1 minute", "dans 3 jours", "avant le 11 mars 2026", "1 mars", "12\u202f345,5"},
		"zh-Hans": {"2026年3月1日 15:04 UTC", "1 分钟前", "3 天后", "在2026年3月11日之前", "3月1日", "12,345.5"},
	} {
		ctx := In(t.Context(), tag)
		got := []string{
			At(now, now).Absolute(ctx), At(now.Add(-time.Minute), now).Ago(ctx), At(now.AddDate(0, 0, 3), now).Ago(ctx),
			By(now.AddDate(0, 0, 10), now).words(ctx), Day(ctx, now), number(ctx, 12345.5),
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", tag, got, want)
		}
	}
}
