package link_test

import (
	"context"
	"testing"

	"github.com/garminlink/garminlink/internal/link"
)

// A check-out of a fresh link: one statement, one opening, one copy.
func BenchmarkCheckOut(b *testing.B) {
	for _, f := range []link.Format{link.Garth, link.Garminconnect, link.Bearer} {
		b.Run(string(f), func(b *testing.B) {
			w := newWorld(b)
			w.start("plain")
			c := link.CheckOut{Format: f, MinLife: garth.MinLife}
			b.ReportAllocs()
			b.SetParallelism(16)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := w.links.CheckOut(context.Background(), w.program(), c); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
