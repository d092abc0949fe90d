package main

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// What `make run` promises: whatever happened to one run, the next finds
// everything as it was, Garmin's tokens included.
func TestDevSurvivesBeingKilled(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "garminlink-dev-") // unlike t.TempDir, PostgreSQL's account may enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	args := []string{"dev", "--data-dir", dir}
	jar, err := cookiejar.New(nil) // cookies know hosts, not ports
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}

	first := alone(t, nil, args...)
	base := awaitServing(t, first)
	wantPage(t, client, base+"/signin", url.Values{"email": {"runner@example.com"}, "password": {"garminlink-demo"}}, "Garmin is simulated here")
	login := url.Values{"email": {"plain@garmin.example"}, "password": {garmintest.DemoPassword}, "region": {garmintest.Global}}
	wantPage(t, client, base+"/link", login, "Active")
	wantAPI(t, base, dir)
	first.kill()

	second := alone(t, nil, args...)
	base = awaitServing(t, second)
	wantPage(t, client, base+"/link/validate", url.Values{}, "Active")
	second.ask(t, syscall.SIGINT)
	if code := second.exit(t); code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

// wantPage posts a form and follows to a page that says want.
func wantPage(t *testing.T, client *http.Client, address string, form url.Values, want string) {
	t.Helper()
	response, err := client.PostForm(address, form)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	p := readPage(t, response)
	if p.status != http.StatusOK || !strings.Contains(p.text(), want) {
		t.Errorf("%s: %d, without %q:\n%s", address, p.status, want, p.text())
	}
}

// wantAPI lists the links with a token that is made beside the program.
func wantAPI(t *testing.T, base, dir string) {
	t.Helper()
	database := "DATABASE_URL=postgres:///postgres?user=postgres&port=5432&host=" + url.QueryEscape(filepath.Join(dir, "postgres", "run"))
	made := garminlink(t, "", []string{database}, "token", "create", "--name", "try", "--scope", "links:read")
	if made.code != exitOK {
		t.Fatal(made.stderr)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/api/v1/links", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(made.stdout))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body := readPage(t, response); body.status != http.StatusOK {
		t.Errorf("the API says %d: %s", body.status, body.text())
	}
}
