package main

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// backlog tells how much there was to do when this process last looked, and for
// how long. After a while it falls silent: then others look.
type backlog struct {
	many, long *prometheus.Desc

	mu      sync.Mutex
	at      time.Time
	due     int
	overdue time.Duration
}

// sampleLife is how long a look counts.
const sampleLife = time.Minute

func newBacklog(many, manyHelp, long, longHelp string) *backlog {
	const by = ", told by those who looked within a minute."
	return &backlog{
		many: prometheus.NewDesc(many, manyHelp+by, nil, nil),
		long: prometheus.NewDesc(long, longHelp+by, nil, nil),
	}
}

func (b *backlog) sample(ctx context.Context, read func(context.Context) (int, time.Duration, error)) error {
	due, overdue, err := read(ctx)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at, b.due, b.overdue = time.Now(), due, overdue
	return nil
}

// Describe implements prometheus.Collector.
func (b *backlog) Describe(out chan<- *prometheus.Desc) {
	out <- b.many
	out <- b.long
}

// Collect implements prometheus.Collector.
func (b *backlog) Collect(out chan<- prometheus.Metric) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.at.IsZero() || time.Since(b.at) > sampleLife {
		return
	}
	out <- prometheus.MustNewConstMetric(b.many, prometheus.GaugeValue, float64(b.due))
	out <- prometheus.MustNewConstMetric(b.long, prometheus.GaugeValue, b.overdue.Seconds())
}
