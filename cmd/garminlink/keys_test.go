package main

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/postgres/pgtest"
	"github.com/garminlink/garminlink/internal/seal"
)

// bunch is a database that was started, and the keyset that is deployed.
type bunch struct {
	t      *testing.T
	db     *pgtest.DB
	keyset string
}

func newBunch(t *testing.T) *bunch {
	t.Helper()
	b := &bunch{t: t, db: pgtest.New(t), keyset: newKeyset(t)}
	if _, err := link.OpenVault(t.Context(), postgres.NewLinks(b.db.DB), b.ring(b.keyset)); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bunch) ring(keyset string) *seal.Keyring {
	b.t.Helper()
	ring, err := seal.Parse([]byte(keyset))
	if err != nil {
		b.t.Fatal(err)
	}
	return ring
}

// run runs `garminlink keys` with the deployed keyset.
func (b *bunch) run(args ...string) outcome {
	b.t.Helper()
	return garminlink(b.t, "", []string{"DATABASE_URL=" + b.db.URL, "KEYSET=" + b.keyset}, append([]string{"keys"}, args...)...)
}

// succeed runs a command and returns what it prints to standard output.
func (b *bunch) succeed(args ...string) string {
	b.t.Helper()
	got := b.run(args...)
	if got.code != exitOK {
		b.t.Fatalf("keys %s: exit code %d: %s", args, got.code, got.stderr)
	}
	return got.stdout
}

// refuse runs a command that must fail with all these words, and print no
// keyset.
func (b *bunch) refuse(code int, words []string, args ...string) {
	b.t.Helper()
	got := b.run(args...)
	if got.code != code || strings.Contains(got.stdout, "{") {
		b.t.Errorf("keys %s: exit code %d, want %d: %s%s", args, got.code, code, got.stdout, got.stderr)
	}
	for _, word := range words {
		if !strings.Contains(got.stderr, word) {
			b.t.Errorf("keys %s does not say %q: %s", args, word, got.stderr)
		}
	}
}

// grow adds a key and deploys the keyset.
func (b *bunch) grow() (former, added uint32) {
	b.t.Helper()
	former = b.ring(b.keyset).Primary()
	b.keyset = b.succeed("add")
	for _, key := range b.ring(b.keyset).IDs() {
		if key != former {
			added = key
		}
	}
	return former, added
}

// replica puts a replica on record, as its heartbeat would.
func (b *bunch) replica(host string, sealing uint32, keys ...uint32) link.Replica {
	b.t.Helper()
	r := link.Replica{ID: uuid.Must(uuid.NewV7()), Host: host, Version: "v1", Keys: keys, SealingKey: sealing}
	if _, err := postgres.NewLinks(b.db.DB).Beat(b.t.Context(), r, patience); err != nil {
		b.t.Fatal(err)
	}
	return r
}

func (b *bunch) exec(sql string, args ...any) {
	b.t.Helper()
	if _, err := b.db.Pool.Exec(b.t.Context(), sql, args...); err != nil {
		b.t.Fatal(err)
	}
}

func id(key uint32) string { return strconv.FormatUint(uint64(key), 10) }

// wantRow finds the row of a key in the table of `keys status`.
func (b *bunch) wantRow(key uint32, want ...string) {
	b.t.Helper()
	for row := range strings.Lines(b.succeed("status")) {
		if cells := strings.Fields(row); len(cells) > 0 && cells[0] == id(key) {
			if got := strings.Join(cells[1:], " "); got != strings.Join(want, " ") {
				b.t.Errorf("key %d: %q, want %q", key, got, want)
			}
			return
		}
	}
	b.t.Errorf("no row of key %d", key)
}

func TestKeysRotateByCommands(t *testing.T) {
	t.Parallel()
	b := newBunch(t)
	former, added := b.grow()
	if b.ring(b.keyset).Primary() != former {
		t.Error("add has changed the primary key")
	}
	b.wantRow(former, "enabled", "now", "key of limits: 1", "-")
	b.wantRow(added, "enabled", "-", "-", "-")

	b.replica("web-1", former, former, added)
	b.succeed("promote", id(added))
	b.exec("DELETE FROM replicas")
	b.replica("web-1", added, former, added)
	b.wantRow(former, "enabled", "-", "key of limits: 1", "-")
	if said := b.succeed("rewrap"); !strings.Contains(said, "Re-sealed 1 values under key "+id(added)) {
		t.Errorf("rewrap says %q", said)
	}
	if said := b.succeed("rewrap"); !strings.Contains(said, "Re-sealed 0 values") {
		t.Errorf("another rewrap says %q", said)
	}

	both := b.keyset
	b.keyset = b.succeed("retire", id(former))
	b.wantRow(former, "disabled", "-", "-", "-")
	if ring := b.ring(b.keyset); ring.Has(former) || !ring.Has(added) || ring.Primary() != added {
		t.Errorf("retired: keys are %v with %d first", ring.Keys(), ring.Primary())
	}
	deleted := b.succeed("delete", id(former))
	b.keyset = both
	for _, keyset := range []string{deleted, b.succeed("delete", id(former))} {
		if keys := b.ring(keyset).Keys(); len(keys) != 1 || keys[0].ID != added {
			t.Errorf("deleted: keys are %v", keys)
		}
	}
	b.keyset = deleted
	b.wantRow(added, "enabled", "now", "key of limits: 1", "-")
}

func TestPromoteNamesWhoLacksTheKey(t *testing.T) {
	t.Parallel()
	b := newBunch(t)
	former, added := b.grow()
	b.replica("web-1", former, former, added)
	two := b.replica("web-2", former, former)
	b.refuse(exitFailure, []string{"web-2", "within 15 seconds"}, "promote", id(added))
	b.refuse(exitFailure, []string{"not among the enabled ones"}, "promote", "4711")
	b.wantRow(added, "enabled", "-", "-", two.String())
}

func TestKeyThatIsNeededCannotGo(t *testing.T) {
	t.Parallel()
	b := newBunch(t)
	former, added := b.grow()
	for _, command := range []string{"retire", "delete"} {
		b.refuse(exitFailure, []string{"it seals", "rows need it (key of limits: 1)"}, command, id(former))
		b.refuse(exitFailure, []string{"not in this keyset"}, command, "4711")
	}
	b.succeed("promote", id(added))
	b.replica("web-1", former, former, added)
	for _, command := range []string{"retire", "delete"} {
		b.refuse(exitFailure, []string{"keys rewrap", "replicas still seal with it (web-1"}, command, id(former))
	}
	b.refuse(exitFailure, []string{"Waiting, as replicas still seal with a former key", "not finished", "web-1"}, "rewrap")
	for _, command := range []string{"retire", "delete"} {
		b.refuse(exitFailure, []string{"replicas still seal with it (web-1"}, command, id(former))
	}
	b.exec("DELETE FROM replicas")
	b.succeed("delete", id(former))
}

func TestRewrapNamesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	b := newBunch(t)
	user := uuid.Must(uuid.NewV7())
	b.exec("INSERT INTO users (id, external_id, role) VALUES ($1, 'x', 'user')", user)
	b.exec(`INSERT INTO garmin_candidates (user_id, generation, sealed, key_id, region, garmin_email, garmin_guid, garmin_name, session_expires_at, expires_at)
		VALUES ($1, 1, 'garbage', $2, 'garmin.com', '', '', '', now(), now())`, user, b.ring(b.keyset).Primary())
	b.exec("INSERT INTO oauth1_consumer (consumer_key, secret, key_id) VALUES ('x', 'x', 4711)")
	former, added := b.grow()
	b.succeed("promote", id(added))
	b.refuse(exitFailure, []string{
		fmt.Sprintf("Unreadable under key %d: candidates, user %s", former, user),
		"This keyset lacks key 4711: OAuth1 consumer, 1 rows", "stay as they are",
	}, "rewrap")
	b.wantRow(former, "enabled", "-", "candidates: 1", "-")
	b.wantRow(4711, "missing", "-", "OAuth1 consumer: 1", "-")
	b.refuse(exitFailure, []string{"candidates: 1"}, "delete", id(former))
}

func TestKeyCommandsRefuseADeploymentThatDoesNotFit(t *testing.T) {
	t.Parallel()
	b := newBunch(t)
	former := b.ring(b.keyset).Primary()
	b.keyset = newKeyset(t)
	for _, command := range [][]string{{"add"}, {"promote", "1"}, {"rewrap"}, {"retire", "1"}, {"delete", "1"}} {
		b.refuse(exitConfig, []string{id(former), "give the keyset that this database was first started with"}, command...)
	}
	b.wantRow(former, "missing", "now", "key of limits: 1", "-")

	b.exec("DELETE FROM installation")
	b.refuse(exitConfig, []string{"garminlink serve"}, "status")
	b.keyset = "{}"
	b.refuse(exitConfig, []string{"GARMINLINK_KEYSET", "garminlink keys generate"}, "status")
}

func TestProgressIsABarOrAFewLines(t *testing.T) {
	t.Parallel()
	var lines, bar strings.Builder
	for _, p := range []*progress{newProgress(&lines), {w: &bar, bar: true}} {
		for done := range 201 {
			p.show(done, 200)
		}
		p.end()
	}
	if got := strings.Split(strings.TrimSpace(lines.String()), "\n"); len(got) != 10 || got[9] != "200 of 200" {
		t.Errorf("lines are %q", got)
	}
	last := "\r[" + strings.Repeat("#", barWidth) + "] 200 of 200\n"
	if got := bar.String(); !strings.HasSuffix(got, last) || strings.Count(got, "\n") != 1 {
		t.Errorf("the bar is %q", got)
	}
}
