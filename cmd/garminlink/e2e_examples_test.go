package main

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// token makes a service token.
func (s *stack) token(scopes string) string {
	s.t.Helper()
	made := garminlink(s.t, "", s.settings, "token", "create", "--name", "example", "--scope", scopes)
	if made.code != exitOK {
		s.t.Fatal(made.stderr)
	}
	return strings.TrimSpace(made.stdout)
}

// trust is a file with the certificates of the door and of the simulated
// Garmin.
func (s *stack) trust() string {
	s.t.Helper()
	authorities, err := os.ReadFile(strings.TrimPrefix(s.network[1], "SSL_CERT_FILE="))
	if err != nil {
		s.t.Fatal(err)
	}
	own := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.door.Certificate().Raw})
	file := filepath.Join(s.t.TempDir(), "authorities.pem")
	if err := os.WriteFile(file, append(authorities, own...), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return file
}

// exampleEnv is the environment of an example: what its reader would set, and the way to the
// simulated Garmin.
func (s *stack) exampleEnv(token string) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.t.TempDir(), "PYTHONDONTWRITEBYTECODE=1",
		"GARMINLINK_URL=" + s.door.URL, "GARMINLINK_TOKEN=" + token,
		"HTTPS_PROXY=" + s.proxy, "NO_PROXY=127.0.0.1", "SSL_CERT_FILE=" + s.trust(),
	}
}

// worker makes the run of an example.
func (s *stack) worker(env []string, argv ...string) func() map[string]string {
	env = append(s.exampleEnv(s.token("links:read,sessions:checkout")), env...)
	return func() map[string]string {
		s.t.Helper()
		cmd := exec.CommandContext(s.t.Context(), argv[0], argv[1:]...)
		cmd.Env = env
		var complaints strings.Builder
		cmd.Stderr = &complaints
		out, err := cmd.Output()
		if err != nil {
			s.t.Fatalf("%s: %v\n%s%s", argv, err, out, &complaints)
		}
		if found := s.secrets().in("the worker's output", string(out)+complaints.String()); len(found) > 0 {
			s.t.Error(strings.Join(found, "\n"))
		}
		said := map[string]string{}
		for line := range strings.Lines(string(out)) {
			user, what, _ := strings.Cut(strings.TrimSpace(line), " ")
			said[user] = what
		}
		return said
	}
}

// build compiles an example.
func build(t *testing.T, example string) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), example)
	if out, err := exec.Command("go", "build", "-o", program, "../../examples/"+example).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// wantBegin compares how what is said of each user begins, as regular
// expressions by the host application's id.
func (s *stack) wantBegin(said map[string]string, want map[string]string) {
	s.t.Helper()
	for id, begin := range want {
		user := s.external(id).String()
		if what, ok := said[user]; !ok || !regexp.MustCompile("^"+begin).MatchString(what) {
			s.t.Errorf("%s: %q, want %q", id, what, begin)
		}
		delete(said, user)
	}
	for user, what := range said {
		s.t.Errorf("%s: %q, want nothing", user, what)
	}
}

// wantReported compares what the worker reported last of a user.
func (s *stack) wantReported(id, want string) {
	s.t.Helper()
	got := stored[string](s, "SELECT coalesce(reported_outcome, '') FROM garmin_authentication_states WHERE user_id = $1", s.external(id))
	if got != want {
		s.t.Errorf("%s was reported %q, want %q", id, got, want)
	}
}

func TestExampleWorkersSync(t *testing.T) {
	t.Parallel()
	const script = "../../examples/python-worker/sync.py"
	for name, worker := range map[string]func(*testing.T, *stack) func() map[string]string{
		"Go":     func(t *testing.T, s *stack) func() map[string]string { return s.worker(nil, build(t, "go-worker")) },
		"Python": func(_ *testing.T, s *stack) func() map[string]string { return s.worker(nil, "python3", script) },
		"Python with garth": func(_ *testing.T, s *stack) func() map[string]string {
			return s.worker([]string{"PYTHONPATH=testdata/garth"}, "python3", script)
		},
		"Python with garminconnect": func(_ *testing.T, s *stack) func() map[string]string {
			return s.worker([]string{"PYTHONPATH=testdata/garminconnect"}, "python3", script)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serving(t)
			s.bulk(write(t, map[string]string{
				"plain.txt":   s.dumped("plain"),
				"china.txt":   dumps(t, s.session("china", garmin.RegionChina)),
				"ended.txt":   s.dumped("ended"),
				"revoked.txt": s.dumped("revoked"),
			})).want(t, exitOK)
			s.followWorker(worker(t, s))
		})
	}
}

// followWorker sees one worker through what may happen to its users.
func (s *stack) followWorker(run func() map[string]string) {
	s.t.Helper()
	s.wantBegin(run(), map[string]string{"plain": "ok Pia Plain", "china": "ok Chen Run", "ended": "ok", "revoked": "ok"})
	s.wantReported("plain", "ok")

	s.garmin.RevokeAccount("revoked@garmin.example")
	s.wantBegin(run(), map[string]string{"plain": "ok", "china": "ok", "ended": "ok", "revoked": "unauthorized"})
	s.wantReported("revoked", "unauthorized")

	s.garmin.KillGrants("ended@garmin.example")
	s.advance(25 * time.Hour)
	s.wantBegin(run(), map[string]string{"plain": "ok", "china": "ok", "ended": "must act .*reauth_needed", "revoked": "must act .*reauth_needed"})
	s.wantState(s.external("ended"), "reauth_needed")

	s.garmin.Fail(garmintest.OpProfile, garmintest.AddressLimited(time.Minute), 1)
	s.wantOnce(run(), "rate_limited", "ok")
	s.advance(25 * time.Hour)
	s.garmin.Fail(garmintest.OpRefresh, garmintest.AddressLimited(time.Second), 1)
	s.wantBegin(run(), map[string]string{"plain": "ok", "china": "ok"})
	s.advance(25 * time.Hour)
	s.garmin.Fail(garmintest.OpRefresh, garmintest.AddressLimited(time.Hour), 1)
	s.wantOnce(run(), "not now", "ok")
}

// wantOnce sees that of two users one fared in one way, and one in the other.
func (s *stack) wantOnce(said map[string]string, one, other string) {
	s.t.Helper()
	begins := slices.Sorted(maps.Values(said))
	want := slices.Sorted(slices.Values([]string{one, other}))
	if len(begins) != 2 || !strings.HasPrefix(begins[0], want[0]) || !strings.HasPrefix(begins[1], want[1]) {
		s.t.Errorf("%q, want %q", begins, want)
	}
}

// checkOut takes a session out by the API.
func (s *stack) checkOut(token, user, format string) string {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), "POST", s.door.URL+"/api/v1/links/"+user+"/checkout",
		strings.NewReader(`{"format":"`+format+`"}`))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	answer, err := s.door.Client().Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	var taken struct{ Session string }
	if err := json.NewDecoder(answer.Body).Decode(&taken); err != nil || answer.StatusCode != http.StatusOK {
		s.t.Fatalf("%s, %v", answer.Status, err)
	}
	return taken.Session
}

// members are those of the objects in a session string, by path, with what kind
// of value each has.
func members(t *testing.T, text string) map[string]string {
	t.Helper()
	if raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text)); err == nil {
		text = string(raw)
	}
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	found := map[string]string{}
	for i, object := range list {
		for key, v := range object.(map[string]any) {
			found[fmt.Sprint(i, " ", key)] = fmt.Sprintf("%T", v)
		}
	}
	return found
}

// The libraries fail on members that they do not know, and on those that are
// missing.
func TestCheckedOutSessionsHaveTheShapeOfTheLibraries(t *testing.T) {
	t.Parallel()
	s := serving(t)
	s.bulk(write(t, map[string]string{"plain.txt": s.dumped("plain")})).want(t, exitOK)
	token := s.token("sessions:checkout")
	for format, nulls := range map[string][]string{"garth": nil, "garminconnect": {"0 di_refresh_token"}} {
		vector, err := os.ReadFile("../../internal/garmin/testdata/" + format + "-plain.txt")
		if err != nil {
			t.Fatal(err)
		}
		want := members(t, string(vector))
		for _, key := range nulls { // what a worker does not get
			want[key] = "<nil>"
		}
		if got := members(t, s.checkOut(token, "ext:plain", format)); !maps.Equal(got, want) {
			t.Errorf("%s has %v, want %v", format, got, want)
		}
	}
}
