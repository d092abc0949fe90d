package main

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/limit"
	"github.com/garminlink/garminlink/internal/limit/redislimit"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/notify"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/worker"
	"github.com/garminlink/garminlink/web"
	"github.com/garminlink/garminlink/web/api"
)

// site is the program, wired.
type site struct {
	db       *postgres.DB
	vault    *link.Vault
	links    *link.Service
	webhooks *notify.Service
	mail     *notify.Mail // nil: no mails are sent
	pages    *web.Server  // nil: there are none
	api      *api.API     // within pages
	changes  *postgres.Changes
	worker   *worker.Worker // nil: others keep links alive
	metrics  *metrics
	redis    *redislimit.Rates // nil: there is none
	rates    *limit.Fallback   // nil: there is no Redis
	draining atomic.Bool
}

// wire makes the parts and gives each what it needs.
func wire(c Config, does parts, s surroundings, db *postgres.DB, vault *link.Vault, log *slog.Logger) (*site, error) {
	var err error
	made := &site{db: db, vault: vault, changes: postgres.NewChanges(db.Pool, log), metrics: newMetrics(db.Pool)}
	if s.garmin == nil {
		s.garmin = garminTransport()
	}
	limits := made.openLimits(c.Limits, log)
	options := c.Garmin.options(made.metrics.observeGarmin(s.garmin), made.metrics.observeLogin)
	made.links = link.New(postgres.NewLinks(db), options, c.Garmin.budget(), vault, limits, log)
	made.webhooks = newNotify(postgres.NewWebhooks(db), vault, c.WebhookAllow, made.metrics.observeAttempt, log)
	made.mail, err = made.newMail(c, log)
	if err != nil {
		return nil, err
	}
	made.links.ReturnURLs = link.ReturnURLs(c.ReturnURLs)
	if does.worker {
		if made.worker, err = made.newWorker(c, log); err != nil {
			return nil, err
		}
	}
	if !does.web {
		return made, nil
	}
	accounts := account.New(postgres.NewAccounts(db), passwordCost)
	made.api, err = api.New(api.Config{
		Links:    made.links,
		Accounts: accounts,
		Changes:  made.changes,
		Rates:    limit.NewBlocks(limits),
		Rate:     c.TokenRequestsPerMinute.rate(),
		BaseURL:  c.BaseURL.URL,
		Log:      log,
	})
	if err != nil {
		return nil, err
	}
	made.pages, err = made.newPages(c, s, accounts, limits, log)
	if err != nil {
		return nil, err
	}
	made.metrics.countStreams(made.pages.Streams)
	return made, nil
}

func (m *site) newPages(c Config, s surroundings, accounts *account.Service, limits limit.Limiter, log *slog.Logger) (*web.Server, error) {
	jobs, err := newJobsPage(m.db)
	if err != nil {
		return nil, err
	}
	return web.New(web.Config{
		Links:          m.links,
		Accounts:       accounts,
		Limits:         limits,
		API:            m.api,
		Changes:        m.changes,
		Webhooks:       m.webhooks,
		Jobs:           jobs,
		DB:             m.db.SQL,
		BaseURL:        c.BaseURL.URL,
		SignInPage:     signInPages(c.BaseURL.String(), s.signInPages),
		SignupOpen:     c.Signup == "open",
		SendsMails:     m.mail != nil,
		OptOuts:        notify.OptOuts{Vault: m.vault},
		Simulated:      s.simulated,
		TrustedProxies: c.TrustedProxies,
		Log:            log,
		Ready:          m.ready,
		Observe:        m.metrics.observeRequest,
	})
}

// endStreams ends what programs and pages wait on.
func (s *site) endStreams() {
	s.api.EndWaits()
	s.pages.EndStreams()
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

// close ends what wire began.
func (s *site) close() error {
	s.links.Close()
	if s.redis == nil {
		return nil
	}
	return s.redis.Close()
}

func newNotify(store notify.Store, vault *link.Vault, allowed networks, attempted func(string), log *slog.Logger) *notify.Service {
	return notify.New(notify.Config{Store: store, Vault: vault, Allowed: allowed, Attempted: attempted, Log: log})
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
