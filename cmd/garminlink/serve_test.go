package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
	"github.com/garminlink/garminlink/internal/seal"
)

func newKeyset(t *testing.T) string {
	t.Helper()
	keyset, err := seal.Generate()
	if err != nil {
		t.Fatal(err)
	}
	return string(keyset)
}

// deployment are the settings of a server that starts.
func deployment(t *testing.T, db *pgtest.DB) []string {
	t.Helper()
	return []string{
		"DATABASE_URL=" + db.URL,
		"KEYSET=" + newKeyset(t),
		"BASE_URL=http://localhost",
		"ADDR=127.0.0.1:0",
	}
}

// alone starts a process that nobody stands before, and that ends with the
// test. Settings are variables without their prefix.
func alone(t *testing.T, settings []string, args ...string) *program {
	t.Helper()
	s := &stack{t: t, network: os.Environ(), settings: append(settings, "LOG_FORMAT=json")}
	p := s.launch(args)
	t.Cleanup(func() {
		p.kill()
		p.checkLog(t)
	})
	return p
}

// awaitServing returns where a process answers requests.
func awaitServing(t *testing.T, p *program) (url string) {
	t.Helper()
	line, err := p.log.await(t.Context(), "serving")
	if err != nil {
		t.Fatalf("the program does not serve: %v\n%s", err, p.log)
	}
	return fmt.Sprintf("http://%v", line["addr"])
}

func TestServeRefusesADeploymentThatCannotWork(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	whole := deployment(t, db)
	founded := pgtest.New(t)
	ring, err := seal.Parse([]byte(newKeyset(t)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := link.OpenVault(t.Context(), postgres.NewLinks(founded.DB), ring); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ setting, says string }{
		"no keyset":          {"KEYSET=", "garminlink keys generate"},
		"a broken keyset":    {`KEYSET={"primaryKeyId":1}`, "garminlink keys generate"},
		"another keyset":     {"DATABASE_URL=" + founded.URL, "give the keyset that this database was first started with"},
		"no database":        {"DATABASE_URL=postgres://x@/x?host=" + filepath.Join(t.TempDir(), "nowhere"), "check GARMINLINK_DATABASE_URL"},
		"an unusable URL":    {"DATABASE_URL=postgres://x:hunter2@host:port/x", "check GARMINLINK_DATABASE_URL"},
		"an old schema":      {"DATABASE_URL=" + pgtest.NewEmpty(t).URL, "run `garminlink migrate`"},
		"a fault of setting": {"SIGNUP=maybe", "GARMINLINK_SIGNUP"},
	} {
		got := garminlink(t, "", append(whole[:len(whole):len(whole)], c.setting), "serve")
		if got.code != exitConfig || !got.says(c.says) || got.says("hunter2") || got.says("serving") {
			t.Errorf("%s: exit code %d, want %d with %q: %s", name, got.code, exitConfig, c.says, got.stderr)
		}
	}
}

func TestServeFailsOnAPortInUse(t *testing.T) {
	t.Parallel()
	taken := localListener(t)
	defer taken.Close()
	for _, name := range []string{"ADDR", "OPS_ADDR"} {
		got := garminlink(t, "", append(deployment(t, pgtest.New(t)), name+"="+taken.Addr().String()), "serve")
		if got.code != exitFailure || !got.says("GARMINLINK_"+name+": listen") {
			t.Errorf("%s: exit code %d: %s", name, got.code, got.stderr)
		}
	}
}

func TestServeMigratesWhenAllowed(t *testing.T) {
	t.Parallel()
	p := alone(t, append(deployment(t, pgtest.NewEmpty(t)), "MIGRATE=auto"), "serve")
	if said := get(t, awaitServing(t, p)+"/readyz"); !strings.Contains(said, "ok") {
		t.Errorf("/readyz says %q", said)
	}
}

func TestServeTellsOperators(t *testing.T) {
	t.Parallel()
	p := alone(t, append(deployment(t, pgtest.New(t)), "OPS_ADDR=127.0.0.1:0", "SINGUP=open"), "serve")
	url := awaitServing(t, p)
	line, err := p.log.await(t.Context(), "serving operators")
	if err != nil {
		t.Fatal(err)
	}
	ops := line["addr"].(string)
	get(t, url+"/")
	get(t, url+"/no/such/page")

	if !strings.Contains(p.log.String(), "GARMINLINK_SINGUP") {
		t.Error("the mistyped variable is not told")
	}
	numbers := get(t, "http://"+ops+"/metrics")
	for _, want := range []string{
		`garminlink_http_request_seconds_count{method="GET",route="/setup",status="200"} 1`, // to which "/" leads
		`garminlink_database_connections{state="max"}`,
		"go_goroutines",
		"process_open_fds",
	} {
		if !strings.Contains(numbers, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	if strings.Contains(numbers, "no/such/page") {
		t.Error("a path that somebody typed became a label")
	}
	if got := garminlink(t, "", []string{"OPS_ADDR=" + ops}, "healthcheck"); got.code != exitOK {
		t.Errorf("healthcheck: exit code %d: %s", got.code, got.stderr)
	}
	response, err := http.Get(url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusNotFound {
		t.Errorf("/metrics on the public port: %s", response.Status)
	}
}

func TestServeEndsCleanlyWhenAsked(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			p := alone(t, deployment(t, pgtest.New(t)), "serve")
			awaitServing(t, p)
			p.ask(t, signal)
			if code := p.exit(t); code != exitOK {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

func TestGarminTransportHonoursTheEnvironment(t *testing.T) {
	t.Parallel()
	if garminTransport().(*http.Transport).Proxy == nil {
		t.Error("the environment's proxy is ignored")
	}
}
