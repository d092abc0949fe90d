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

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/seal"
)

func newServe(p process) *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Serve browsers",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := load[Config](p.environ)
			if err != nil {
				return err
			}
			log := config.logger(p.stderr)
			names, err := unknown(p.environ)
			if err != nil {
				return err
			}
			for _, name := range names {
				log.Warn("a variable means nothing to this program", "name", name)
			}
			return serve(cmd.Context(), config, surroundings{pause: drainPause}, log)
		},
	}
}

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
func serve(ctx context.Context, c Config, s surroundings, log *slog.Logger) (err error) {
	ring, err := seal.Parse([]byte(c.Keyset))
	if err != nil {
		return refuse("GARMINLINK_KEYSET: %w: put your copy of it back; `garminlink keys generate` makes one for a new database only", err)
	}
	db, err := openSchema(ctx, c, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	vault, err := link.OpenVault(ctx, postgres.NewLinks(db.Gorm), ring)
	if errors.Is(err, link.ErrWrongKeyset) {
		return refuse("%w: give the keyset that this database was first started with (GARMINLINK_KEYSET), or another database", err)
	}
	if err != nil {
		return err
	}
	site, err := wire(c, s, db, vault, log)
	if err != nil {
		return err
	}
	defer site.links.Close()
	endpoints, err := listen(c.Addresses, s.public, site)
	if err != nil {
		return err
	}
	log.Info("serving", "version", version(), "url", c.BaseURL.String(), "addr", endpoints[0].String())
	for _, ops := range endpoints[1:] {
		log.Info("serving operators", "addr", ops.String())
	}
	if s.ready != nil {
		s.ready()
	}
	return lifecycle{endpoints: endpoints, pause: s.pause, draining: &site.draining, log: log}.run(ctx)
}

// openSchema returns a database whose schema this version can work with.
func openSchema(ctx context.Context, c Config, log *slog.Logger) (*postgres.DB, error) {
	db, err := connect(ctx, c.Database, log)
	if err != nil {
		return nil, err
	}
	if c.Migrate == "auto" {
		err = db.Migrate(ctx)
	} else {
		err = requireSchema(ctx, db)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// listen opens the ports, the public one first.
func listen(a Addresses, public net.Listener, s *site) ([]endpoint, error) {
	if public == nil {
		var err error
		if public, err = net.Listen("tcp", string(a.Addr)); err != nil {
			return nil, fmt.Errorf("GARMINLINK_ADDR: %w", err)
		}
	}
	endpoints := []endpoint{{public, s.pages}}
	if a.OpsAddr == "" {
		return endpoints, nil
	}
	l, err := net.Listen("tcp", string(a.OpsAddr))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("GARMINLINK_OPS_ADDR: %w", err), public.Close())
	}
	return append(endpoints, endpoint{l, s.ops()}), nil
}
