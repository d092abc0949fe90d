package postgres_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/garminlink/garminlink/internal/dev"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/notify"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
)

// plans hears from the server how it went about each statement: the very ones
// that the stores send, with their values.
type plans struct {
	mu    sync.Mutex
	heard []string
}

func (p *plans) take() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	heard := strings.Join(p.heard, "\n")
	p.heard = nil
	return heard
}

// explained opens the database anew, with a server that explains itself.
func explained(t *testing.T, db *pgtest.DB) (*postgres.DB, *plans) {
	t.Helper()
	config, err := pgxpool.ParseConfig(os.Getenv("GARMINLINK_TEST_DATABASE_URL")) // only a superuser may load it
	if err != nil {
		t.Fatal(err)
	}
	config.ConnConfig.Database = db.Pool.Config().ConnConfig.Database
	p := new(plans)
	for name, value := range map[string]string{
		"search_path": pgtest.Schema, "session_preload_libraries": "auto_explain",
		"auto_explain.log_min_duration": "0", "auto_explain.log_analyze": "on", "auto_explain.log_timing": "off",
		"client_min_messages": "log",
	} {
		config.ConnConfig.RuntimeParams[name] = value
	}
	config.ConnConfig.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.heard = append(p.heard, n.Message)
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	explained := &postgres.DB{Pool: pool, SQL: stdlib.OpenDBFromPool(pool)}
	explained.Gorm, err = gorm.Open(gormpostgres.New(gormpostgres.Config{Conn: explained.SQL}),
		&gorm.Config{SkipDefaultTransaction: true, DisableAutomaticPing: true, Logger: logger.Discard})
	if err != nil {
		t.Fatal(err)
	}
	return explained, p
}

// throughAll finds a big table that was read from end to end.
var throughAll = regexp.MustCompile(`Seq Scan on (users|garmin_authentication_states|link_events|link_activity\w*|activity_hourly|webhook_deliveries)\b`)

// thrownAway counts rows that were read for nothing.
var thrownAway = regexp.MustCompile(`Rows Removed by (?:Join )?Filter: (\d+)`)

// wasteful is a number of those that no page is worth.
const wasteful = 10_000

// look fails if what is done reads through a table, or reads much in vain.
func (p *plans) look(t *testing.T, what string, do func(context.Context) error) {
	t.Helper()
	p.take()
	if err := do(t.Context()); err != nil {
		t.Errorf("%s: %v", what, err)
	}
	plan := p.take()
	if !strings.Contains(plan, "Query Text") {
		t.Fatalf("%s: the server explains nothing: %q", what, plan)
	}
	if found := throughAll.FindString(plan); found != "" {
		t.Errorf("%s: %s\n%s", what, found, plan)
	}
	for _, removed := range thrownAway.FindAllStringSubmatch(plan, -1) {
		if n, err := strconv.Atoi(removed[1]); err != nil || n > wasteful {
			t.Errorf("%s: %s\n%s", what, removed[0], plan)
		}
	}
}

func TestStaffLookByIndexAlone(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	if err := dev.Seed(t.Context(), db.DB, 100_000); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Pool.Exec(t.Context(), toldSQL); err != nil {
		t.Fatal(err)
	}
	opened, heard := explained(t, db)
	links := postgres.NewLinks(opened)
	reference := uuid.Must(uuid.NewV7()).String()
	look := func(what string, do func(context.Context) error) { t.Helper(); heard.look(t, what, do) }
	found := func(f link.Find) (all []link.Subject) {
		t.Helper()
		f.Most = 50
		look(fmt.Sprintf("%+v", f), func(ctx context.Context) error {
			got, err := links.Search(ctx, f, time.Hour)
			all = got.Subjects
			return err
		})
		return all
	}
	for _, order := range link.Orders {
		for _, descending := range []bool{false, true} {
			for _, f := range []link.Find{
				{}, {State: "active"}, {State: "reauth_needed"}, {State: "reauth_needed", Reason: link.TokenRefusal}, {State: "mfa_pending"},
				{Region: "garmin.cn"}, {Region: "garmin.com"}, {Region: "garmin.cn", State: "reauth_needed"},
				{ValidatedBefore: time.Now().AddDate(0, 0, -10)}, {ValidatedBefore: time.Now().AddDate(0, 0, 1)},
				{Reason: link.GrantRefused}, {Reason: link.SupportClearance, Region: "garmin.cn"}, {Text: reference},
				{Text: "mara"}, {Text: "host-99"}, {Text: "ada.berg.1@"}, {Text: "nobody at all"}, {Text: uuid.NewString()},
				{Text: "lena", State: "active", Region: "garmin.com"},
			} {
				f.Order, f.Descending = order, descending
				if first := found(f); len(first) == 50 {
					f.After = first[len(first)-1].Spot(order)
					found(f)
				}
			}
		}
	}
	var user uuid.UUID
	if err := db.Pool.QueryRow(t.Context(), "SELECT id FROM users LIMIT 1").Scan(&user); err != nil {
		t.Fatal(err)
	}
	look("subject", func(ctx context.Context) error { _, err := links.Subject(ctx, user, time.Hour); return err })
	look("timeline", func(ctx context.Context) error {
		happened, err := links.Timeline(ctx, user, time.Now().Add(time.Hour), 50)
		if len(happened) < 4 {
			t.Errorf("the timeline is %v", happened)
		}
		return err
	})
	look("prompt", func(ctx context.Context) error { _, err := links.Record(ctx, user); return err })
	look("daily", func(ctx context.Context) error { _, err := links.Daily(ctx, 30); return err })
	look("hourly", func(ctx context.Context) error { _, err := links.Hourly(ctx, 48*time.Hour); return err })
	lookAtTheRest(t, opened, heard)
}

// toldSQL has as much told of as there are links, to one who does not always
// listen.
const toldSQL = `
	WITH endpoint AS (
		INSERT INTO webhook_endpoints (id, url, events, secret, key_id, tells_after)
		VALUES (gen_random_uuid(), 'https://hooks.example.com', '{}', '', 1, 0) RETURNING id)
	INSERT INTO webhook_deliveries (id, endpoint_id, event_id, user_id, type, body, state, attempts, created_at, ended_at)
	SELECT gen_random_uuid(), endpoint.id, e.id, e.user_id, 'link.active', '{}', CASE WHEN e.id % 1000 = 0 THEN 'given_up' ELSE 'delivered' END, 1,
		e.created_at, e.created_at
	FROM endpoint, link_events e;
	ANALYZE webhook_deliveries`

// lookAtTheRest opens the pages of admins.
func lookAtTheRest(t *testing.T, db *postgres.DB, heard *plans) {
	t.Helper()
	links, webhooks, accounts := postgres.NewLinks(db), postgres.NewWebhooks(db), postgres.NewAccounts(db)
	for what, do := range map[string]func(context.Context) error{
		"endpoints": func(ctx context.Context) error { _, err := webhooks.Endpoints(ctx); return err },
		"log":       func(ctx context.Context) error { _, err := webhooks.Log(ctx, notify.Query{Most: 100}); return err },
		"log of failing": func(ctx context.Context) error {
			_, err := webhooks.Log(ctx, notify.Query{Failed: true, Most: 100})
			return err
		},
		"keys":       func(ctx context.Context) error { _, err := links.KeyUses(ctx); return err },
		"backlog":    func(ctx context.Context) error { _, _, err := links.Backlog(ctx); return err },
		"verdicts":   func(ctx context.Context) error { _, _, err := links.Verdicts(ctx, time.Hour); return err },
		"cool-downs": func(ctx context.Context) error { _, err := links.CoolDowns(ctx, link.CoolDowns); return err },
		"staff":      func(ctx context.Context) error { _, err := accounts.Staff(ctx); return err },
		"roles":      func(ctx context.Context) error { _, err := accounts.RoleRecords(ctx, 50); return err },
		"tokens":     func(ctx context.Context) error { _, err := accounts.Tokens(ctx); return err },
	} {
		heard.look(t, what, do)
	}
}
