package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/garminlink/garminlink/internal/postgres"
)

func newServe(p process) *cobra.Command {
	does := parts{web: true}
	var noWorker bool
	command := &cobra.Command{
		Use:   "serve",
		Short: "Serve browsers, and keep links alive",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, log, err := configure(p)
			if err != nil {
				return err
			}
			does.worker = !noWorker
			return serve(cmd.Context(), config, does, surroundings{pause: drainPause}, log)
		},
	}
	command.Flags().BoolVar(&noWorker, "no-worker", false, "leave it to others to keep links alive: see `garminlink worker`")
	return command
}

// configure loads the whole configuration, and warns of what looks like one.
func configure(p process) (Config, *slog.Logger, error) {
	config, err := load[Config](p.environ)
	if err != nil {
		return Config{}, nil, err
	}
	log := config.logger(p.stderr)
	names, err := unknown(p.environ)
	for _, name := range names {
		log.Warn("a variable means nothing to this program", "name", name)
	}
	return config, log, err
}

// parts are what one process does.
type parts struct{ web, worker bool }

// surroundings are what `garminlink dev` has different from a deployment. The
// zero value is a deployment's.
type surroundings struct {
	public      net.Listener      // nil: the configured address
	garmin      http.RoundTripper // nil: the way to the real one
	signInPages map[string]string // origins, by region, in the place of Garmin's own
	simulated   bool
	pause       time.Duration // see lifecycle
	ready       func()        // called when requests are answered; may be nil
}

// serve runs the program until ctx ends. It refuses to start in a deployment
// that cannot work, before it opens a port.
func serve(ctx context.Context, c Config, does parts, s surroundings, log *slog.Logger) (err error) {
	site, leave, err := assemble(ctx, c, does, s, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, leave()) }()
	defer site.hear(ctx)()
	endpoints, err := listen(c.Addresses, s.public, site)
	if err != nil {
		return err
	}
	announce(c, site, endpoints, log)
	if s.ready != nil {
		s.ready()
	}
	return lifecycle{
		endpoints: endpoints, tasks: site.tasks(), pause: s.pause, draining: &site.draining, log: log,
	}.run(ctx)
}

// assemble opens what a replica works on, has the others know of it, and wires
// it. leave waits for what is under way, and undoes the rest.
func assemble(ctx context.Context, c Config, does parts, s surroundings, log *slog.Logger) (_ *site, leave func() error, err error) {
	keys, err := c.Keys.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	db, err := openSchema(ctx, c, log)
	if err != nil {
		return nil, nil, err
	}
	vault, part, err := join(ctx, db, keys, log)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	site, err := wire(c, does, s, db, vault, log)
	if err != nil {
		part()
		return nil, nil, errors.Join(err, db.Close())
	}
	if site.rates != nil {
		site.rates.Check(ctx)
	}
	return site, func() error { err := site.close(); part(); return errors.Join(err, db.Close()) }, nil
}

func announce(c Config, s *site, endpoints []endpoint, log *slog.Logger) {
	if s.pages != nil {
		log.Info("serving", "version", version(), "url", c.BaseURL.String(), "addr", endpoints[0].String())
		endpoints = endpoints[1:]
	}
	for _, ops := range endpoints {
		log.Info("serving operators", "addr", ops.String())
	}
	if s.worker != nil {
		log.Info("keeping links alive", "version", version())
	}
}

// openSchema returns a database whose schema this version can work with.
func openSchema(ctx context.Context, c Config, log *slog.Logger) (*postgres.DB, error) {
	if c.Migrate != "auto" {
		return connectCurrent(ctx, c.Database, log)
	}
	db, err := connect(ctx, c.Database, log)
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// listen opens the ports, the public one first, if there are pages.
func listen(a Addresses, public net.Listener, s *site) (endpoints []endpoint, err error) {
	if s.pages != nil && public == nil {
		if public, err = net.Listen("tcp", string(a.Addr)); err != nil {
			return nil, fmt.Errorf("GARMINLINK_ADDR: %w", err)
		}
	}
	if s.pages != nil {
		endpoints = append(endpoints, endpoint{listener: public, handler: s.pages, leave: s.endStreams})
	}
	if a.OpsAddr == "" {
		return endpoints, nil
	}
	l, err := net.Listen("tcp", string(a.OpsAddr))
	if err != nil {
		for _, e := range endpoints {
			err = errors.Join(err, e.listener.Close())
		}
		return nil, fmt.Errorf("GARMINLINK_OPS_ADDR: %w", err)
	}
	return append(endpoints, endpoint{listener: l, handler: s.ops()}), nil
}
