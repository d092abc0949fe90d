package main

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/garminlink/garminlink/internal/postgres"
)

// backlog tells how many links were due when this process last looked for them.
// After a while it falls silent: then others look.
type backlog struct {
	mu      sync.Mutex
	at      time.Time
	due     int
	overdue time.Duration
}

// sampleLife is how long a look counts.
const sampleLife = time.Minute

var (
	dueLinks = prometheus.NewDesc("garminlink_links_due",
		"Links that are due for a check, told by those who looked within a minute.", nil, nil)
	overdueTime = prometheus.NewDesc("garminlink_links_overdue_seconds",
		"For how long the longest due of them is, told by those who looked within a minute.", nil, nil)
)

func (b *backlog) sample(ctx context.Context, links *postgres.Links) error {
	due, overdue, err := links.Backlog(ctx)
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
	out <- dueLinks
	out <- overdueTime
}

// Collect implements prometheus.Collector.
func (b *backlog) Collect(out chan<- prometheus.Metric) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.at.IsZero() || time.Since(b.at) > sampleLife {
		return
	}
	out <- prometheus.MustNewConstMetric(dueLinks, prometheus.GaugeValue, float64(b.due))
	out <- prometheus.MustNewConstMetric(overdueTime, prometheus.GaugeValue, b.overdue.Seconds())
}
