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

	"github.com/garminlink/garminlink/internal/dev"
	"github.com/garminlink/garminlink/internal/link"
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
func explained(t *testing.T, db *pgtest.DB) (*postgres.Links, *plans) {
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
	return postgres.NewLinks(&postgres.DB{Pool: pool}), p
}

// throughAll finds a big table that was read from end to end.
var throughAll = regexp.MustCompile(`Seq Scan on (users|garmin_authentication_states|link_events|link_activity\w*|activity_hourly|webhook_deliveries)\b`)

// thrownAway counts rows that were read for nothing.
var thrownAway = regexp.MustCompile(`Rows Removed by (?:Join )?Filter: (\d+)`)

// wasteful is a number of those that no page is worth.
const wasteful = 10_000

func TestStaffLookByIndexAlone(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	if err := dev.Seed(t.Context(), db.DB, 100_000); err != nil {
		t.Fatal(err)
	}
	links, heard := explained(t, db)
	look := func(what string, do func(context.Context) error) {
		t.Helper()
		heard.take()
		if err := do(t.Context()); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		plan := heard.take()
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
	look("daily", func(ctx context.Context) error { _, err := links.Daily(ctx, 30); return err })
	look("hourly", func(ctx context.Context) error { _, err := links.Hourly(ctx, 48*time.Hour); return err })
}
