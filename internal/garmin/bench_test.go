package garmin_test

import (
	"os"
	"strings"
	"testing"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

func BenchmarkSession(b *testing.B) {
	read := func(name string) string {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			b.Fatal(err)
		}
		return strings.TrimSpace(string(text))
	}
	for _, name := range []string{"garth-mfa.txt", "garminconnect-mfa.txt"} {
		text := read(name)
		s, _, err := garmin.ParseAny(text)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("read/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _, _ = garmin.ParseAny(text)
			}
		})
		b.Run("garth/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = s.Dumps()
			}
		})
		b.Run("garminconnect/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = s.DumpGarminconnect()
			}
		})
	}
}

// BenchmarkLogin is a whole sign-in: password, code, exchange and profile, over HTTPS.
func BenchmarkLogin(b *testing.B) {
	for _, flow := range garmin.DefaultFlows() {
		b.Run(flow.String(), func(b *testing.B) {
			sim := &garmintest.Server{PortalMFA: true}
			defer sim.Close()
			c := newClient(sim, flow.WithPause(garmin.Pause{}))
			b.ReportAllocs()
			for b.Loop() {
				_, ch, err := c.Login(b.Context(), garmin.RegionGlobal, "mfa@garmin.example", garmintest.DemoPassword)
				if err != nil {
					b.Fatal(err)
				}
				ticket, err := c.SubmitCode(b.Context(), ch, garmintest.DemoCode)
				if err != nil {
					b.Fatal(err)
				}
				s, err := c.Exchange(b.Context(), ticket)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := c.Profile(b.Context(), s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
