package link_test

import (
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// A replica whose clock is wrong, by an hour or a day, keeps the same times as
// any other, also of tokens that do not say when they end.
func TestWrongClockOfAReplicaDoesNoHarm(t *testing.T) {
	t.Parallel()
	for _, wrong := range []time.Duration{time.Hour, -time.Hour, 24 * time.Hour, -24 * time.Hour} {
		for _, expiry := range []string{"", `"soon"`} {
			w := newWorld(t)
			w.garmin.Expiry = expiry
			o := w.options()
			o.Now = func() time.Time { return w.garmin.Now().Add(wrong) }
			w.links = w.replicaWith(o)
			w.start("plain")
			for range 5 {
				w.advance(18 * time.Hour)
				if err := w.check(); err != nil {
					t.Fatalf("%s: %v", wrong, err)
				}
				access := one[float64](w, "SELECT extract(epoch FROM session_expires_at - app_now())::float8 / 3600 FROM garmin_authentication_states")
				refresh := one[float64](w, "SELECT extract(epoch FROM refresh_expires_at - app_now())::float8 / 86400 FROM garmin_authentication_states")
				if access < 23.9 || access > 24.1 || refresh < 29.9 || refresh > 30.1 {
					t.Fatalf("%s off, exp %q: ends in %.1f hours and %.1f days", wrong, expiry, access, refresh)
				}
			}
			if n := w.garmin.Calls(garmintest.OpRefresh); n != 5 {
				t.Errorf("%s: %d refreshes", wrong, n)
			}
			w.wantState("active")
		}
	}
}
