package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/garminlink/garminlink/internal/dev"
)

func newDev(p process) *cobra.Command {
	var (
		dir     string
		port    int
		durable bool
	)
	command := &cobra.Command{
		Use:   "dev",
		Short: "Run everything on this machine, with a simulated Garmin and demo users",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runDev(cmd.Context(), p, dir, port) },
	}
	command.PersistentFlags().StringVar(&dir, "data-dir", ".dev", "what to keep from one run to the next")
	command.Flags().IntVar(&port, "port", 0, "the port to serve on (default: the first free one from 8080)")
	database := &cobra.Command{
		Use:    "postgres -- command [argument...]",
		Short:  "Run a command with a throwaway PostgreSQL server",
		Hidden: true,
		Args:   cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, argv []string) error {
			code, err := dev.WithDatabase(cmd.Context(), durable, argv, p.stdin, p.stdout, p.stderr)
			if err != nil || code == 0 {
				return err
			}
			return exitStatus(code)
		},
	}
	database.Flags().BoolVar(&durable, "durable", false, "with PostgreSQL's own settings, as benchmarks need it")
	command.AddCommand(database, newDevSeed(p, &dir))
	return command
}

// devSettings are what the environment may say of an instance that dev
// furnishes.
type devSettings struct {
	Logging
	Limits
	Webhooks
	ReturnURLs returnURLs `env:"RETURN_URLS"`
}

// runDev has serve do its usual work in an instance that dev furnishes.
func runDev(ctx context.Context, p process, dir string, port int) error {
	said, err := load[devSettings](p.environ)
	if err != nil {
		return err
	}
	log := said.logger(p.stderr)
	return dev.Run(ctx, dev.Options{
		Dir: dir, Port: port, Out: p.stdout, Log: log,
		Serve: func(ctx context.Context, i dev.Instance) error {
			config := Config{
				Database:   Database{DatabaseURL: secret(i.DatabaseURL), DatabaseSchema: dev.Schema},
				Addresses:  Addresses{Addr: address(i.Listener.Addr().String())},
				Logging:    said.Logging,
				Keys:       Keys{Keyset: secret(i.Keyset)},
				Limits:     said.Limits,
				Webhooks:   said.Webhooks,
				BaseURL:    origin{i.BaseURL},
				Signup:     "open",
				ReturnURLs: said.ReturnURLs,
			}
			return serve(ctx, config, parts{web: true, worker: true}, surroundings{
				public: i.Listener, garmin: i.Garmin, signInPages: i.SignInPages, simulated: true, ready: i.Ready,
			}, log)
		},
	})
}
