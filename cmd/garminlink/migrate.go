package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/garminlink/garminlink/internal/postgres"
)

// connectPatience is how long a database may take to answer at start.
const connectPatience = 10 * time.Second

func newMigrate(p process) *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database up to the schema that this version needs",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := load[struct {
				Database
				Logging
			}](p.environ)
			if err != nil {
				return err
			}
			db, err := connect(cmd.Context(), config.Database, config.logger(p.stderr))
			if err != nil {
				return err
			}
			defer db.Close()
			if err := db.Migrate(cmd.Context()); err != nil {
				return err
			}
			current, _, err := db.Versions(cmd.Context())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(p.stdout, "The schema %s has version %d.\n", config.DatabaseSchema, current)
			return err
		},
	}
}

func connect(ctx context.Context, c Database, log *slog.Logger) (*postgres.DB, error) {
	ctx, cancel := context.WithTimeout(ctx, connectPatience)
	defer cancel()
	db, err := postgres.Open(ctx, string(c.DatabaseURL), string(c.DatabaseSchema), log)
	if err != nil {
		return nil, refuse("%w: check GARMINLINK_DATABASE_URL, and that PostgreSQL is running", err)
	}
	return db, nil
}

// withDatabase lets a command that needs nothing else work on the database.
func withDatabase(ctx context.Context, p process, do func(*postgres.DB) error) error {
	config, err := load[struct {
		Database
		Logging
	}](p.environ)
	if err != nil {
		return err
	}
	db, err := connectCurrent(ctx, config.Database, config.logger(p.stderr))
	if err != nil {
		return err
	}
	defer db.Close()
	return do(db)
}

// connectCurrent opens a database that this version can work with.
func connectCurrent(ctx context.Context, d Database, log *slog.Logger) (*postgres.DB, error) {
	db, err := connect(ctx, d, log)
	if err != nil {
		return nil, err
	}
	if err := requireSchema(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// requireSchema refuses a database that this version cannot work with.
func requireSchema(ctx context.Context, db *postgres.DB) error {
	current, wanted, err := db.Versions(ctx)
	if err != nil {
		return err
	}
	if current < wanted {
		return refuse("the database's schema has version %d and this program needs %d: run `garminlink migrate`, or set GARMINLINK_MIGRATE=auto", current, wanted)
	}
	queue, needed, err := db.QueueVersions(ctx)
	if err != nil {
		return err
	}
	if queue < needed {
		return refuse("the tables of the job queue have version %d and this program needs %d: run `garminlink migrate`, or set GARMINLINK_MIGRATE=auto", queue, needed)
	}
	return nil
}
