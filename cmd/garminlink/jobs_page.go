package main

import (
	"context"

	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/worker"
	"github.com/garminlink/garminlink/web"
)

// jobsPage gives admins in a browser what `garminlink jobs` gives operators.
type jobsPage struct {
	*worker.Control
	db *postgres.DB
}

func newJobsPage(db *postgres.DB) (jobsPage, error) {
	control, err := worker.NewControl(db.Pool)
	return jobsPage{control, db}, err
}

// Status implements web.Jobs.
func (j jobsPage) Status(ctx context.Context) (web.JobStatus, error) {
	s, err := readJobStatus(ctx, j.db, j.Control)
	status := web.JobStatus{PausedAt: s.pausedAt, Due: s.due, Overdue: s.overdue, Alive: s.alive, Dead: s.dead}
	for _, w := range s.workers {
		status.Workers = append(status.Workers, web.JobWorker(w))
	}
	for _, c := range s.counts {
		status.Counts = append(status.Counts, web.JobCount(c))
	}
	return status, err
}
