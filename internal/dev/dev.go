package dev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/dev/pgcluster"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/seal"
)

// Schema is where the demo's tables are.
const Schema = "garminlink"

// Options say how to run.
type Options struct {
	// Dir keeps everything from one run to the next.
	Dir string
	// Port to serve on; 0 means the first free one.
	Port int
	// Out is told what a person needs to know.
	Out io.Writer
	Log *slog.Logger
	// Serve runs the program until ctx ends.
	Serve func(ctx context.Context, i Instance) error
}

// Instance is what the program is given in place of a deployment.
type Instance struct {
	DatabaseURL string
	Keyset      string
	Listener    net.Listener
	BaseURL     *url.URL
	Garmin      http.RoundTripper
	SignInPages map[string]string // by region, the origin that a browser finds in place of Garmin's https://sso.<region>
	Ready       func()            // to be called when requests are answered
}

// Run runs the program with all that it needs, until ctx ends, and then stops
// everything.
func Run(ctx context.Context, o Options) (err error) {
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return err
	}
	cluster, err := startCluster(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.Stop()) }()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-cluster.Done():
			cancel(errNoServer)
		case <-ctx.Done():
		}
	}()
	if err := prepare(ctx, cluster.URL(), o.Log); err != nil {
		return err
	}
	instance, stop, err := furnish(o, cluster.URL())
	if err != nil {
		return err
	}
	defer stop()
	err = o.Serve(ctx, instance)
	if errors.Is(context.Cause(ctx), errNoServer) {
		err = errors.Join(errNoServer, err)
	}
	return err
}

var errNoServer = errors.New("PostgreSQL has ended by itself")

func startCluster(ctx context.Context, o Options) (*pgcluster.Cluster, error) {
	cluster, err := pgcluster.Start(ctx, pgcluster.Config{Dir: filepath.Join(o.Dir, "postgres"), Out: o.Out})
	if errors.Is(err, pgcluster.ErrRunning) {
		return nil, fmt.Errorf("`garminlink dev` runs already with the data in %s: stop that one first, or name another --data-dir and --port", o.Dir)
	}
	return cluster, err
}

// prepare makes the schema and the demo users.
func prepare(ctx context.Context, url string, log *slog.Logger) error {
	db, err := postgres.Open(ctx, url, Schema, log)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	accounts := account.New(postgres.NewAccounts(db), account.RealCost)
	for _, u := range users {
		_, err := accounts.Create(ctx, u.email, userPassword, u.role)
		if err != nil && !errors.Is(err, account.ErrEmailTaken) {
			return fmt.Errorf("create %s: %w", u.email, err)
		}
	}
	return nil
}

// furnish makes the rest of what an instance needs. stop ends it.
func furnish(o Options, database string) (_ Instance, stop func(), err error) {
	keyset, err := keep(filepath.Join(o.Dir, "keyset.json"), seal.Generate)
	if err != nil {
		return Instance{}, nil, err
	}
	// With the same key, tokens of an earlier run still work.
	key, err := keep(filepath.Join(o.Dir, "garmin.key"), randomKey)
	if err != nil {
		return Instance{}, nil, err
	}
	listener, err := listen(o.Port)
	if err != nil {
		return Instance{}, nil, err
	}
	simulator := &garmintest.Server{Key: key}
	stop = func() {
		simulator.Close()
		_ = listener.Close() // the program has done it, unless it did not come so far
	}
	pages, err := listenPages(simulator)
	if err != nil {
		stop()
		return Instance{}, nil, err
	}
	base := &url.URL{Scheme: "http", Host: listener.Addr().String()}
	return Instance{
		DatabaseURL: database,
		Keyset:      string(keyset),
		Listener:    listener,
		BaseURL:     base,
		Garmin:      simulator.Transport(),
		SignInPages: pages,
		Ready:       func() { welcome(o.Out, base.String()) },
	}, stop, nil
}

// listenPages opens the simulation's sign-in pages to this machine's browsers.
func listenPages(simulator *garmintest.Server) (origins map[string]string, err error) {
	origins = map[string]string{}
	for _, region := range []string{garmintest.Global, garmintest.China} {
		if origins[region], err = simulator.ListenPages(region, "127.0.0.1:0"); err != nil {
			return nil, err
		}
	}
	return origins, nil
}
