package dev

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/dev/pgcluster"
	"github.com/garminlink/garminlink/internal/postgres"
)

// dataDir is a folder that PostgreSQL's account can enter, unlike testing's.
func dataDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "garminlink-dev-")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestSecondRunFindsEverythingAsItWas(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	var out bytes.Buffer
	var first Instance
	run := func(serve func(context.Context, Instance) error) {
		t.Helper()
		err := Run(t.Context(), Options{Dir: dir, Out: &out, Log: slog.New(slog.DiscardHandler), Serve: serve})
		if err != nil {
			t.Fatal(err)
		}
	}
	run(func(_ context.Context, i Instance) error {
		first = i
		i.Ready()
		wantDemoUser(t, i.DatabaseURL)
		return nil
	})
	run(func(_ context.Context, i Instance) error {
		if i.Keyset != first.Keyset {
			t.Error("the keyset has changed")
		}
		wantDemoUser(t, i.DatabaseURL)
		return nil
	})
	for _, text := range []string{first.BaseURL.String(), "runner@example.com", "garminlink-demo", "mfa@garmin.example", "garmin-demo-1", "123456"} {
		if !strings.Contains(out.String(), text) {
			t.Errorf("%s is not printed", text)
		}
	}
}

func wantDemoUser(t *testing.T, url string) {
	t.Helper()
	db, err := postgres.Open(t.Context(), url, Schema, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	accounts := account.New(postgres.NewAccounts(db.Gorm), account.RealCost)
	if u, err := accounts.CheckPassword(t.Context(), "support@example.com", "garminlink-demo"); err != nil || u.Role != account.RoleSupport {
		t.Errorf("the demo user is %v, %v", u, err)
	}
}

func TestRunEndsWithItsDatabase(t *testing.T) {
	t.Parallel()
	err := Run(t.Context(), Options{
		Dir: dataDir(t), Out: t.Output(), Log: slog.New(slog.DiscardHandler),
		Serve: func(ctx context.Context, i Instance) error {
			db, err := postgres.Open(ctx, i.DatabaseURL, Schema, slog.New(slog.DiscardHandler))
			if err != nil {
				return err
			}
			defer db.Close()
			var pid int
			if err := db.Pool.QueryRow(ctx, `SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1)::int`).Scan(&pid); err != nil {
				return err
			}
			if err := syscall.Kill(pid, syscall.SIGINT); err != nil {
				return err
			}
			<-ctx.Done()
			return nil
		},
	})
	if !errors.Is(err, errNoServer) {
		t.Errorf("Run gave %v", err)
	}
}

func TestSecondRunAtOnceIsToldApart(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	cluster, err := pgcluster.Start(t.Context(), pgcluster.Config{Dir: filepath.Join(dir, "postgres"), Out: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Stop()
	err = Run(t.Context(), Options{Dir: dir, Out: t.Output(), Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "runs already") {
		t.Errorf("Run gave %v", err)
	}
}

func TestGarminIsSimulated(t *testing.T) {
	t.Parallel()
	i, stop, err := furnish(Options{Dir: t.TempDir()}, "")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://example.com/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if response, err := i.Garmin.RoundTrip(request); err == nil {
		response.Body.Close()
		t.Error("the way to Garmin leads elsewhere, too")
	}
}
