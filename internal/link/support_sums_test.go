package link_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/link"
)

// counted is today's count, by state and reason.
func (w *world) counted() map[string]int {
	w.t.Helper()
	if err := w.links.CountLinks(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	days, err := w.links.Daily(context.Background(), 1)
	if err != nil {
		w.t.Fatal(err)
	}
	counts := map[string]int{}
	for _, d := range days {
		counts[d.State+string(d.Reason)] = d.Links
		if d.CountedAt.After(w.now()) || w.now().Sub(d.CountedAt) > time.Minute {
			w.t.Errorf("counted at %v", d.CountedAt)
		}
	}
	return counts
}

func TestLinksAreCountedAsPeopleSeeThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	act := w.staff() // one without a link
	w.start("plain")
	waiting := w.as(w.guest("waits"))
	waiting.start("mfa")
	want := func(want map[string]int) {
		t.Helper()
		got := w.counted()
		for state, n := range want {
			if got[state] != n {
				t.Errorf("%s: %d, want %d", state, got[state], n)
			}
			delete(got, state)
		}
		for state, n := range got {
			if n != 0 {
				t.Errorf("%s: %d, want none", state, n)
			}
		}
	}
	want(map[string]int{"active": 1, "mfa_pending": 1, "not_linked": 1})
	w.advance(time.Hour) // the challenge runs out, and nobody has looked yet
	want(map[string]int{"active": 1, "not_linked": 2})
	if err := w.links.Clear(t.Context(), act, "why"); err != nil {
		t.Fatal(err)
	}
	want(map[string]int{"reauth_neededcleared_by_support": 1, "not_linked": 2})
	w.advance(24 * time.Hour)
	w.counted()
	days, err := w.links.Daily(t.Context(), 30)
	if err != nil || len(days) != 12 || !days[0].Day.Before(days[11].Day) {
		t.Errorf("days: %+v, %v", days, err)
	}
	w.advance(40 * 24 * time.Hour)
	w.counted()
	if n := one[int](w, "SELECT count(DISTINCT day) FROM link_daily"); n != 1 {
		t.Errorf("%d days are kept", n)
	}
}

// sums are what was summed up within a time, but for when.
func (w *world) sums(within time.Duration) (lines []string) {
	w.t.Helper()
	if err := w.links.SumActivity(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	sums, err := w.links.Hourly(context.Background(), within)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, s := range sums {
		lines = append(lines, fmt.Sprintf("%s %s%s %d %v", s.What, s.Flow, s.Outcome, s.Times, s.Took))
	}
	slices.Sort(lines)
	return lines
}

func TestActivityIsSummedUpOnceHoweverOften(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec("SELECT turn_link_activity()")
	w.advance(24 * time.Hour) // so that there was a yesterday
	note := func(at string, what, outcome string, took time.Duration) {
		t.Helper()
		w.exec(`INSERT INTO link_activity (at, user_id, request_id, what, flow, region, op, outcome, status, type, took)
			VALUES (date_trunc('hour', app_now()) + $1::interval, gen_random_uuid(), '', $2, 'ios', 'garmin.com', '', $3, 0, '', $4)`, at, what, outcome, took)
	}
	note("-5 hours", "login", "", 60*time.Millisecond)
	note("-5 hours", "login", "", 70*time.Millisecond)
	note("-5 hours", "login", "blocked", 0)
	note("-1 second", "login", "", time.Hour)
	w.exec(`INSERT INTO link_verdicts (minute, alive, dead) SELECT date_trunc('hour', app_now()) - interval '1 minute', 7, 2`)
	want := []string{
		"login ios 1 [0 0 0 0 0 0 0 0 0 0 1]", "login ios 2 [0 2 0 0 0 0 0 0 0 0 0]", "login iosblocked 1 [1 0 0 0 0 0 0 0 0 0 0]",
		"verdict  7 [7 0 0 0 0 0 0 0 0 0 0]", "verdict dead 2 [2 0 0 0 0 0 0 0 0 0 0]",
	}
	for range 2 {
		if got := w.sums(10 * time.Hour); !slices.Equal(got, want) {
			t.Errorf("sums are\n\t%q, want\n\t%q", got, want)
		}
	}
	if got := w.sums(3 * time.Hour); len(got) != 3 {
		t.Errorf("of the last hours: %q", got)
	}
	note("-30 minutes", "login", "", time.Hour) // written late
	w.exec("DELETE FROM link_verdicts")         // kept for a day
	want[0] = "login ios 2 [0 0 0 0 0 0 0 0 0 0 2]"
	slices.Sort(want)
	if got := w.sums(10 * time.Hour); !slices.Equal(got, want) {
		t.Errorf("sums are\n\t%q, want\n\t%q", got, want)
	}
	w.advance(40 * 24 * time.Hour)
	if got := w.sums(90 * 24 * time.Hour); len(got) != 0 {
		t.Errorf("after a month there are %q", got)
	}
}

func TestSharesAreReadOffCounts(t *testing.T) {
	t.Parallel()
	ms := time.Millisecond
	for _, c := range []struct {
		took  link.Took
		share float64
		want  time.Duration
	}{
		{nil, 0.5, 0},
		{link.Took{0, 0, 0}, 0.95, 0},
		{link.Took{4}, 0.5, 25 * ms},
		{link.Took{0, 4}, 0.5, 75 * ms},
		{link.Took{0, 4}, 1, 100 * ms},
		{link.Took{90, 0, 0, 10}, 0.5, 27777777},
		{link.Took{90, 0, 0, 10}, 0.95, 300 * ms},
		{link.Took{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5}, 0.5, time.Minute},
	} {
		if got := c.took.Share(c.share); got != c.want {
			t.Errorf("%v of %v is %v, want %v", c.share, c.took, got, c.want)
		}
	}
	if sum := (link.Took{1, 2}).Add(link.Took{0, 1, 5}); !slices.Equal(sum[:4], link.Took{1, 3, 5, 0}) || len(sum) != 11 {
		t.Errorf("sum is %v", sum)
	}
}

func TestCoolDownsSayWhatTheyHoldBack(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"garmin/breaker/connectapi.garmin.com": "host connectapi.garmin.com",
		"garmin/address/garmin.cn/sso":         "address sso.garmin.cn",
		"garmin/judging":                       "judging ",
		"garmin/account/00ff":                  "account ",
		"garmin/later":                         " ",
	} {
		if h, host := (link.CoolDown{Key: key}).Holds(); string(h)+" "+host != want {
			t.Errorf("%s holds %q of %q", key, h, host)
		}
	}
}
