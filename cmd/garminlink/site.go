package main

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/worker"
	"github.com/garminlink/garminlink/web"
)

// site is the program, wired.
type site struct {
	db       *postgres.DB
	vault    *link.Vault
	links    *link.Service
	pages    *web.Server // nil: there are none
	changes  *postgres.Changes
	worker   *worker.Worker // nil: others keep links alive
	metrics  *metrics
	draining atomic.Bool
}

// wire makes the parts and gives each what it needs.
func wire(c Config, does parts, s surroundings, db *postgres.DB, vault *link.Vault, log *slog.Logger) (*site, error) {
	made := &site{db: db, vault: vault, changes: postgres.NewChanges(db.Pool, log), metrics: newMetrics(db.Pool)}
	if s.garmin == nil {
		s.garmin = garminTransport()
	}
	limits := postgres.NewLimits(db.Gorm)
	options := c.Garmin.options(made.metrics.observeGarmin(s.garmin), made.metrics.observeLogin)
	made.links = link.New(postgres.NewLinks(db.Gorm), options, c.Garmin.budget(), vault, limits, log)
	var err error
	if does.worker {
		if made.worker, err = made.newWorker(c, log); err != nil {
			return nil, err
		}
	}
	if !does.web {
		return made, nil
	}
	made.pages, err = web.New(web.Config{
		Links:          made.links,
		Accounts:       account.New(postgres.NewAccounts(db.Gorm), passwordCost),
		Limits:         limits,
		Changes:        made.changes,
		DB:             db.SQL,
		BaseURL:        c.BaseURL.URL,
		SignInPage:     signInPages(c.BaseURL.String(), s.signInPages),
		SignupOpen:     c.Signup == "open",
		Simulated:      s.simulated,
		TrustedProxies: c.TrustedProxies,
		Log:            log,
		Ready:          made.ready,
		Observe:        made.metrics.observeRequest,
	})
	if err != nil {
		return nil, err
	}
	made.metrics.countStreams(made.pages.Streams)
	return made, nil
}

// hear has open pages told of changes until stop is called. That must be after
// the drain: until then there are pages.
func (s *site) hear(ctx context.Context) (stop func()) {
	if s.pages == nil {
		return func() {}
	}
	hearing, end := context.WithCancel(context.WithoutCancel(ctx))
	var ears sync.WaitGroup
	ears.Go(func() { s.changes.Run(hearing) })
	return func() { end(); ears.Wait() }
}

// garminTransport is the way to the real Garmin. It honours the environment's
// proxy and certificates.
func garminTransport() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxResponseHeaderBytes = 64 << 10
	return t
}

// ready is nil while requests should come here.
func (s *site) ready(ctx context.Context) error {
	if s.draining.Load() {
		return errDraining
	}
	if s.vault.Behind() {
		return errBehind
	}
	ctx, cancel := context.WithTimeout(ctx, readyPatience)
	defer cancel()
	return s.db.Pool.Ping(ctx)
}

func (s *site) ops() http.Handler { return opsHandler(s.ready, s.metrics.handler()) }
