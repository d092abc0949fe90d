package link

import (
	"sync/atomic"
	"time"
)

// clock is the database's, as far as one process can know it between two
// readings: the ends of tokens are stated in seconds from now, and a machine
// whose clock is wrong must not get them wrong.
type clock struct {
	own    func() time.Time
	behind atomic.Int64 // nanoseconds
}

func (c *clock) now() time.Time { return c.own().Add(time.Duration(c.behind.Load())) }

// set takes over a reading of the database's clock.
func (c *clock) set(now time.Time) { c.behind.Store(int64(now.Sub(c.own()))) }
