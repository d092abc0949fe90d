package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// kept is a session that another program has, of an account that is made if need
// be.
func (s *stack) kept(account string) *garmin.Session {
	s.t.Helper()
	a := garmintest.Account{Email: account + "@garmin.example", Password: garmintest.DemoPassword}
	if !slices.ContainsFunc(garmintest.DemoAccounts(), func(demo garmintest.Account) bool { return demo.Email == a.Email }) {
		s.garmin.Add(a)
	}
	return s.session(account, garmin.RegionGlobal)
}

func (s *stack) dumped(account string) string { return dumps(s.t, s.kept(account)) }

// tokens are what python-garminconnect keeps.
func (s *stack) tokens(account string) string {
	s.t.Helper()
	return s.kept(account).DumpGarminconnect()
}

// stores are the stores of n users, whose sessions are of as many accounts.
func (s *stack) stores(n int) (dir string) {
	s.t.Helper()
	files := map[string]string{}
	for i := range n {
		files[fmt.Sprintf("user-%d.txt", i)] = s.dumped(fmt.Sprintf("account-%d", i))
	}
	return write(s.t, files)
}

// bulk is one run of `garminlink import`.
type bulk struct {
	*program
	report string
}

func (s *stack) bulk(args ...string) bulk {
	s.t.Helper()
	report := filepath.Join(s.t.TempDir(), "report.jsonl")
	return bulk{s.launch(append([]string{"import", "--report", report}, args...), "LOG_LEVEL=info"), report}
}

// want compares the exit code, and all these words with what was printed.
func (b bulk) want(t *testing.T, code int, words ...string) {
	t.Helper()
	if got := b.exit(t); got != code {
		t.Errorf("exit code %d, want %d", got, code)
	}
	for _, w := range words {
		if !strings.Contains(b.log.String(), w) {
			t.Errorf("it does not say %q", w)
		}
	}
	if t.Failed() {
		t.Log(b.log)
	}
}

// wantReport compares kinds by user, or by the end of the place if no user is known.
func (b bulk) wantReport(t *testing.T, want map[string]string) {
	t.Helper()
	info, err := os.Stat(b.report)
	if len(want) == 0 {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a report without a failure: %v", err)
		}
		return
	}
	if err != nil || info.Mode() != 0o600 {
		t.Fatalf("the report is %v, %v", info, err)
	}
	text, err := os.ReadFile(b.report)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for line := range strings.Lines(string(text)) {
		var l struct{ User, Place, Kind, Text string }
		if err := json.Unmarshal([]byte(line), &l); err != nil || l.Place == "" || l.Text == "" {
			t.Fatalf("%s: %v", line, err)
		}
		if l.User == "" {
			l.User = filepath.Base(l.Place)
		}
		got[l.User] = l.Kind
	}
	if !maps.Equal(got, want) {
		t.Errorf("the report says %v, want %v", got, want)
	}
}

func (s *stack) external(id string) uuid.UUID {
	s.t.Helper()
	return stored[uuid.UUID](s, "SELECT id FROM users WHERE external_id = $1", id)
}

func (s *stack) wantLinks(n int) {
	s.t.Helper()
	if got := stored[int](s, "SELECT count(*) FROM garmin_authentication_states WHERE session_data IS NOT NULL"); got != n {
		s.t.Errorf("%d links are live, want %d", got, n)
	}
}

// garthFilesOf are what garth's dump writes.
func garthFilesOf(t *testing.T, dumps string) (oauth1, oauth2 string) {
	t.Helper()
	list, err := base64.StdEncoding.DecodeString(dumps)
	var parts [2]json.RawMessage
	if err == nil {
		err = json.Unmarshal(list, &parts)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(parts[0]), string(parts[1])
}

// contents are all files below a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		all[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
