package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/worker"
)

func newJobs(p process) *cobra.Command {
	jobs := &cobra.Command{Use: "jobs", Short: "See and hold back the jobs that keep links alive", Args: cobra.NoArgs, RunE: showHelp}
	for _, c := range []struct {
		name, short string
		do          func(context.Context, process, *postgres.DB, *worker.Control) error
	}{
		{"pause", "Have all workers begin no more checks of links, until resume", pauseJobs},
		{"resume", "Have the workers go on", resumeJobs},
		{"status", "Show how it goes: what is due, what Garmin says, who works", showJobs},
	} {
		jobs.AddCommand(&cobra.Command{
			Use: c.name, Short: c.short, Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return withJobs(cmd.Context(), p, c.do) },
		})
	}
	return jobs
}

// withJobs opens the database that the workers share.
func withJobs(ctx context.Context, p process, do func(context.Context, process, *postgres.DB, *worker.Control) error) error {
	return withDatabase(ctx, p, func(db *postgres.DB) error {
		control, err := worker.NewControl(db.Pool)
		if err != nil {
			return err
		}
		return do(ctx, p, db, control)
	})
}

func pauseJobs(ctx context.Context, p process, _ *postgres.DB, control *worker.Control) error {
	if err := control.Pause(ctx); err != nil {
		return err
	}
	_, err := fmt.Fprintln(p.stdout, "Checks of links are paused: within seconds no worker begins another. What users ask for goes on.\n"+
		"Sessions run out meanwhile; the first use of each renews it. `garminlink jobs resume` ends the pause.")
	return err
}

func resumeJobs(ctx context.Context, p process, _ *postgres.DB, control *worker.Control) error {
	if err := control.Resume(ctx); err != nil {
		return err
	}
	_, err := fmt.Fprintln(p.stdout, "Checks of links go on.")
	return err
}

func showJobs(ctx context.Context, p process, db *postgres.DB, control *worker.Control) error {
	status, err := readJobStatus(ctx, db, control)
	if err != nil {
		return err
	}
	return status.print(p.stdout)
}
