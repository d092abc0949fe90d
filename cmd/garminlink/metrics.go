package main

import (
	"cmp"
	"context"
	"net/http"
	"path"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/garminlink/garminlink/internal/garmin"
)

// metrics are numbers for operators. No label holds what a user typed.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	garmin   *prometheus.HistogramVec
	logins   *prometheus.HistogramVec
	checks   *prometheus.CounterVec
	attempts *prometheus.CounterVec
	mails    *prometheus.CounterVec

	links, deliveries, notices *backlog
}

func newMetrics(pool *pgxpool.Pool) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "garminlink_http_request_seconds",
			Help:    "Time to answer requests, by route and status.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"method", "route", "status"}),
		garmin: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "garminlink_garmin_call_seconds",
			Help:    "Time that calls to Garmin took, by operation and outcome (a status, or none).",
			Buckets: []float64{.1, .25, .5, 1, 2.5, 5, 10, 20},
		}, []string{"operation", "outcome"}),
		logins: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "garminlink_garmin_login_seconds",
			Help:    "Time that each way to sign in took, its pause included, by what came of it (ok, or why not).",
			Buckets: []float64{.5, 1, 2.5, 5, 10, 20, 40, 60},
		}, []string{"flow", "region", "outcome"}),
		checks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "garminlink_link_checks_total",
			Help: "Links that jobs have checked, by what came of it: done, fault (ours), or why they are checked later.",
		}, []string{"outcome"}),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "garminlink_webhook_attempts_total",
			Help: "Attempts to deliver to webhooks, by what came of it: delivered, refused (another status), no_answer, or fault (ours).",
		}, []string{"outcome"}),
		mails: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "garminlink_mail_attempts_total",
			Help: "Attempts to send a mail, by what came of it: sent, refused, or fault (the mail server cannot be used).",
		}, []string{"outcome"}),
		links: newBacklog(
			"garminlink_links_due", "Links that are due for a check",
			"garminlink_links_overdue_seconds", "For how long the longest due of them is"),
		deliveries: newBacklog(
			"garminlink_webhook_deliveries_waiting", "Deliveries that wait for an attempt, or for one of the same link before them",
			"garminlink_webhook_oldest_waiting_seconds", "For how long the oldest of them does"),
		notices: newBacklog(
			"garminlink_mails_waiting", "Mails that wait to be sent",
			"garminlink_mail_oldest_waiting_seconds", "For how long the oldest of them does"),
	}
	m.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.requests, m.garmin, m.logins, m.checks, m.attempts, m.mails, m.links, m.deliveries, m.notices,
	)
	for state, count := range map[string]func(*pgxpool.Stat) int32{
		"acquired": (*pgxpool.Stat).AcquiredConns,
		"idle":     (*pgxpool.Stat).IdleConns,
		"max":      (*pgxpool.Stat).MaxConns,
	} {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name:        "garminlink_database_connections",
			Help:        "Connections of the pool, by state; max is its limit.",
			ConstLabels: prometheus.Labels{"state": state},
		}, func() float64 { return float64(count(pool.Stat())) }))
	}
	return m
}

func (m *metrics) countStreams(open func() int) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "garminlink_open_streams",
		Help: "Open pages that are told when their user's link changes.",
	}, func() float64 { return float64(open()) }))
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// watchRedis tells whether Redis counts.
func (m *metrics) watchRedis(up func() bool) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "garminlink_redis_up",
		Help: "1 while Redis counts for all replicas, 0 while it cannot be reached and limits hold for each process alone.",
	}, func() float64 {
		if up() {
			return 1
		}
		return 0
	}))
}

// observeRequest counts a request that was answered. The route is a pattern,
// never a path that somebody typed.
func (m *metrics) observeRequest(method, route string, status int, took time.Duration) {
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Observe(took.Seconds())
}

// observeAttempt counts an attempt to deliver to a webhook.
func (m *metrics) observeAttempt(outcome string) { m.attempts.WithLabelValues(outcome).Inc() }

// observeMail counts an attempt to send a mail.
func (m *metrics) observeMail(outcome string) { m.mails.WithLabelValues(outcome).Inc() }

// observeGarmin counts the calls that pass through a transport. Their paths
// are constants of the client.
func (m *metrics) observeGarmin(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(request *http.Request) (*http.Response, error) {
		begin := time.Now()
		response, err := next.RoundTrip(request)
		outcome := "none"
		if err == nil {
			outcome = strconv.Itoa(response.StatusCode)
		}
		m.garmin.WithLabelValues(path.Base(request.URL.Path), outcome).Observe(time.Since(begin).Seconds())
		return response, err
	})
}

// observeLogin counts what one way to sign in answered.
func (m *metrics) observeLogin(_ context.Context, a garmin.Attempt) {
	m.logins.WithLabelValues(a.Flow, string(a.Region), cmp.Or(string(a.Kind), "ok")).Observe(a.Took.Seconds())
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
