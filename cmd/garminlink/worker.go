package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/worker"
)

func newWorker(p process) *cobra.Command {
	return &cobra.Command{
		Use:   "worker",
		Short: "Keep links alive, without serving browsers",
		Long:  "Keep links alive, without serving browsers.\n\nThe configuration is that of serve. It opens no port but GARMINLINK_OPS_ADDR.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, log, err := configure(p)
			if err != nil {
				return err
			}
			return serve(cmd.Context(), config, parts{worker: true}, surroundings{}, log)
		},
	}
}

func (s *site) newWorker(c Config, log *slog.Logger) (*worker.Worker, error) {
	return worker.New(worker.Config{
		Pool:      s.db.Pool,
		Links:     s.links,
		Webhooks:  s.webhooks,
		Mail:      s.mail,
		PerSecond: c.Garmin.budget().Burst,
		Sample: func(ctx context.Context) error {
			return errors.Join(
				s.metrics.links.sample(ctx, postgres.NewLinks(s.db).Backlog),
				s.metrics.deliveries.sample(ctx, s.webhooks.Store.Backlog),
				s.metrics.notices.sample(ctx, postgres.NewMails(s.db).MailBacklog),
			)
		},
		Checked: func(outcome string) { s.metrics.checks.WithLabelValues(outcome).Inc() },
		Log:     log,
	})
}

// tasks are what runs beside requests.
func (s *site) tasks() []func(context.Context) error {
	if s.worker == nil {
		return nil
	}
	return []func(context.Context) error{s.worker.Run}
}
