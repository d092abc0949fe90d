package dev

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/dev/pgcluster"
	"github.com/garminlink/garminlink/internal/garmin"
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
	accounts := account.New(postgres.NewAccounts(db), account.RealCost)
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

func TestSignInPagesAreSimulatedWhileTheInstanceLives(t *testing.T) {
	t.Parallel()
	i, stop, err := furnish(Options{Dir: t.TempDir()}, "")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for _, region := range []garmin.Region{garmin.RegionGlobal, garmin.RegionChina} {
		origin, err := url.Parse(i.SignInPages[string(region)])
		if err != nil {
			t.Fatal(err)
		}
		if ip := net.ParseIP(origin.Hostname()); ip == nil || !ip.IsLoopback() {
			t.Errorf("%s: the pages are at %v, where others reach them", region, origin)
		}
		if title := titleAt(t, region, origin.String()); title != "GARMIN Authentication Application" {
			t.Errorf("%s: the page has the title %q", region, title)
		}
	}
	stop()
	for region, origin := range i.SignInPages {
		if conn, err := net.Dial("tcp", strings.TrimPrefix(origin, "http://")); err == nil {
			_ = conn.Close()
			t.Errorf("%s: the pages outlive the instance", region)
		}
	}
}

// titleAt asks for a region's sign-in page as garminlink's own page leads to it.
func titleAt(t *testing.T, region garmin.Region, origin string) string {
	t.Helper()
	address := strings.Replace(garmin.HandoffURL(region), garmin.SSOOrigin(region), origin, 1)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("User-Agent", "Mozilla/5.0")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(body), "<title>")
	title, _, _ := strings.Cut(after, "</title>")
	return title
}
