package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
	"github.com/garminlink/garminlink/internal/seal"
)

// mainVariable makes this test binary the program itself, so that tests can
// run several of them, and kill them.
const mainVariable = testPrefix + "MAIN"

func TestMain(m *testing.M) {
	passwordCost = account.Cost{MemoryKiB: 64, Passes: 1}
	drainPause, redisPatience = time.Second, 20*time.Second
	rewrapPause = 10 * time.Millisecond
	roundPause, shortShut = 10*time.Millisecond, 10*time.Millisecond
	if os.Getenv(mainVariable) == "1" {
		main()
		return
	}
	os.Exit(m.Run())
}

// outcome is what one run of the program left.
type outcome struct {
	code           int
	stdout, stderr string
}

func (o outcome) says(text string) bool { return strings.Contains(o.stdout+o.stderr, text) }

// garminlink runs the program's commands in this process. Settings are
// variables without their prefix.
func garminlink(t testing.TB, stdin string, settings []string, args ...string) outcome {
	t.Helper()
	var environ []string
	for _, s := range settings {
		environ = append(environ, prefix+s)
	}
	var stdout, stderr strings.Builder
	code := run(t.Context(), process{
		args: args, environ: environ,
		stdin: strings.NewReader(stdin), stdout: &stdout, stderr: &stderr,
	})
	return outcome{code, stdout.String(), stderr.String()}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"", exitOK, "Usage:"},
		{"--help", exitOK, "Usage:"},
		{"version", exitOK, "garminlink "},
		{"bogus", exitUsage, `unknown command "bogus"`},
		{"version bogus", exitUsage, "bogus"},
		{"version --bogus", exitUsage, "--bogus"},
		{"keys bogus", exitUsage, "bogus"},
		{"keys promote", exitUsage, "name one key by its id"},
		{"keys retire first", exitUsage, `"first" is not the id of a key`},
		{"keys delete 4294967296", exitUsage, `"4294967296" is not the id of a key`},
		{"keys status", exitConfig, "GARMINLINK_KEYSET is not set"},
		{"user create --role user", exitUsage, `"email"`},
		{"user create --email a@example.com --role king", exitUsage, `"king" is not a role`},
		{"user create --email a@example.com --role user", exitConfig, "GARMINLINK_DATABASE_URL is not set"},
		{"migrate", exitConfig, "GARMINLINK_DATABASE_URL is not set"},
		{"dev postgres", exitUsage, "at least 1 arg"},
		{"dev postgres -- false", 1, ""},
	} {
		got := garminlink(t, "", nil, strings.Fields(c.args)...)
		if got.code != c.code || !got.says(c.says) {
			t.Errorf("garminlink %s: exit code %d, want %d with %q:\n%s%s", c.args, got.code, c.code, c.says, got.stdout, got.stderr)
		}
	}
}

func TestKeysGenerateMakesAUsableKeyset(t *testing.T) {
	t.Parallel()
	one := garminlink(t, "", nil, "keys", "generate")
	if _, err := seal.Parse([]byte(one.stdout)); err != nil || one.code != exitOK {
		t.Errorf("exit code %d: %v", one.code, err)
	}
	if other := garminlink(t, "", nil, "keys", "generate"); other.stdout == one.stdout {
		t.Error("two keysets are the same")
	}
}

func TestMigrateMakesTheSchema(t *testing.T) {
	t.Parallel()
	db := pgtest.NewEmpty(t)
	for range 2 {
		got := garminlink(t, "", []string{"DATABASE_URL=" + db.URL}, "migrate")
		if got.code != exitOK || !got.says("The schema garminlink has version ") {
			t.Errorf("exit code %d: %s%s", got.code, got.stdout, got.stderr)
		}
	}
	if current, wanted, err := db.Versions(t.Context()); err != nil || current != wanted {
		t.Errorf("version %d of %d, %v", current, wanted, err)
	}
}

func TestUserCreateTakesOrMakesAPassword(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	settings := []string{"DATABASE_URL=" + db.URL}
	accounts := account.New(postgres.NewAccounts(db.DB), passwordCost)
	signsIn := func(email, password string, role account.Role) {
		t.Helper()
		if u, err := accounts.CheckPassword(t.Context(), email, password); err != nil || u.Role != role {
			t.Errorf("%s is %v, %v", email, u, err)
		}
	}

	got := garminlink(t, "correct horse battery\n", settings, "user", "create", "--email", "Given@example.com", "--role", "admin", "--password-stdin")
	if got.code != exitOK || got.says("horse") {
		t.Errorf("exit code %d: %s%s", got.code, got.stdout, got.stderr)
	}
	signsIn("given@example.com", "correct horse battery", account.RoleAdmin)

	got = garminlink(t, "", settings, "user", "create", "--email", "made@example.com", "--role", "support")
	_, password, _ := strings.Cut(strings.TrimSpace(got.stdout), "Password: ")
	signsIn("made@example.com", password, account.RoleSupport)

	for stdin, want := range map[string]string{
		"correct horse battery": account.ErrEmailTaken.Error(),
		"":                      "no password on standard input",
		"short":                 account.ErrPasswordShort.Error(),
	} {
		got := garminlink(t, stdin, settings, "user", "create", "--email", "made@example.com", "--role", "user", "--password-stdin")
		if got.code != exitFailure || !got.says(want) {
			t.Errorf("%q: exit code %d, want %q: %s", stdin, got.code, want, got.stderr)
		}
	}
}

func TestCommandsRefuseADatabaseThatIsNotReady(t *testing.T) {
	t.Parallel()
	empty := pgtest.NewEmpty(t)
	create := []string{"user", "create", "--email", "a@example.com", "--role", "user"}
	if got := garminlink(t, "", []string{"DATABASE_URL=" + empty.URL}, create...); got.code != exitConfig || !got.says("garminlink migrate") {
		t.Errorf("not migrated: exit code %d: %s", got.code, got.stderr)
	}
	nowhere := "postgres://user:hunter2@/x?host=" + filepath.Join(t.TempDir(), "nowhere")
	if got := garminlink(t, "", []string{"DATABASE_URL=" + nowhere}, create...); got.code != exitConfig || !got.says("check GARMINLINK_DATABASE_URL") || got.says("hunter2") {
		t.Errorf("not reachable: exit code %d: %s", got.code, got.stderr)
	}
}
