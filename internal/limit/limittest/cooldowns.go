package limittest

import (
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/limit"
)

// CoolDowns are two replicas' views of the same cool-downs, and their clock.
type CoolDowns struct {
	One, Other limit.CoolDowns
	Advance    func(d time.Duration)
}

// TestCoolDowns shows that cool-downs behave; see TestRates.
func TestCoolDowns(t *testing.T, run func(t *testing.T, behave func(*testing.T, CoolDowns))) {
	for name, behave := range map[string]func(*testing.T, CoolDowns){
		"they are never shortened":     neverShortened,
		"they may be lengthened":       lengthened,
		"the longest of several rules": longestRules,
		"they end":                     end,
		"replicas share":               coolDownsShared,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, behave)
		})
	}
}

func cool(t testing.TB, c limit.CoolDowns, key string, d time.Duration) {
	t.Helper()
	if err := c.Cool(t.Context(), key, d); err != nil {
		t.Fatal(err)
	}
}

func wantLeft(t testing.TB, c limit.CoolDowns, want time.Duration, keys ...string) {
	t.Helper()
	left, err := c.Cooling(t.Context(), keys...)
	if err != nil {
		t.Fatal(err)
	}
	if left > want || left < want-30*time.Second || want == 0 && left != 0 {
		t.Errorf("%q cool for %v, want %v", keys, left, want)
	}
}

func neverShortened(t *testing.T, c CoolDowns) {
	cool(t, c.One, "a", time.Hour)
	cool(t, c.One, "a", time.Minute)
	cool(t, c.Other, "a", time.Minute)
	wantLeft(t, c.One, time.Hour, "a")
}

func lengthened(t *testing.T, c CoolDowns) {
	cool(t, c.One, "a", time.Minute)
	cool(t, c.Other, "a", time.Hour)
	wantLeft(t, c.One, time.Hour, "a")
}

func longestRules(t *testing.T, c CoolDowns) {
	cool(t, c.One, "a", time.Hour)
	cool(t, c.One, "b", 2*time.Hour)
	wantLeft(t, c.One, 2*time.Hour, "a", "b", "c")
	wantLeft(t, c.One, time.Hour, "a", "c")
	wantLeft(t, c.One, 0, "c", "d")
}

func end(t *testing.T, c CoolDowns) {
	cool(t, c.One, "a", time.Hour)
	c.Advance(59 * time.Minute)
	wantLeft(t, c.One, time.Minute, "a")
	c.Advance(time.Minute)
	wantLeft(t, c.One, 0, "a")
	cool(t, c.One, "a", time.Minute)
	wantLeft(t, c.One, time.Minute, "a")
}

func coolDownsShared(t *testing.T, c CoolDowns) {
	cool(t, c.One, "a", time.Hour)
	wantLeft(t, c.Other, time.Hour, "a")
}
