package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

func TestImportLinksAFolderOfStores(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	oauth1, oauth2 := garthFilesOf(t, s.dumped("plain"))
	stale := s.dumped("stale")
	s.garmin.RevokeAccount("stale@garmin.example")
	shared := s.dumped("shared")
	dir := write(t, map[string]string{
		"garth/oauth1_token.json":    oauth1,
		"garth/oauth2_token.json":    oauth2,
		"connect/garmin_tokens.json": s.tokens("mail"),
		"line.txt":                   s.dumped("line") + "\n",
		"stale.txt":                  stale,
		"half/oauth1_token.json":     oauth1,
		"garbage.json":               "{}",
		"shared-1.txt":               shared,
		"notes.md":                   "",
	})
	before := contents(t, dir)
	failures := map[string]string{
		"ext:stale": "session_refused", "ext:half": "session_half", "ext:garbage": "session_unknown", "notes.md": "no_file",
	}

	rehearsal := s.bulk("--dry-run", dir)
	rehearsal.want(t, exitFailure, "5 would be linked", "3 failed")
	rehearsal.wantReport(t, map[string]string{"ext:half": "session_half", "ext:garbage": "session_unknown", "notes.md": "no_file"})
	s.wantLinks(0)
	s.wantCalls(garmintest.OpProfile, 0)
	if n := stored[int](s, "SELECT count(*) FROM users WHERE external_id IS DISTINCT FROM 'nobody'"); n != 0 {
		t.Errorf("a rehearsal has made %d users", n)
	}

	first := s.bulk(dir)
	first.want(t, exitFailure, "4 linked", "4 of 8 failed: see "+first.report, "8 of 8")
	first.wantReport(t, failures)
	s.wantLinks(4)
	s.wantEvents(s.external("garth"), "imported: not_linked -> active")
	calls := s.garmin.Calls(garmintest.OpProfile)

	again := s.bulk(dir)
	again.want(t, exitFailure, "4 were linked already", "4 failed")
	again.wantReport(t, failures)
	s.wantEvents(s.external("garth"), "imported: not_linked -> active")
	s.wantCalls(garmintest.OpProfile, calls+1) // of the stale one

	other := s.bulk(write(t, map[string]string{"shared-2.txt": shared}))
	other.want(t, exitFailure)
	other.wantReport(t, map[string]string{"ext:shared-2": "account_taken"})
	if after := contents(t, dir); !maps.Equal(before, after) {
		t.Error("the source was changed")
	}
	if found := s.secrets().in("the backup", s.dump()); len(found) > 0 {
		t.Error(strings.Join(found, "\n"))
	}
}

// A session that was renewed since its import is dead in the old store: it must
// not be sent again.
func TestImportRepeatedLaterAsksNothing(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	dir := write(t, map[string]string{v.email + ".txt": s.dumped("plain")})
	run := func(words ...string) {
		t.Helper()
		b := s.bulk("--as", "email", dir)
		b.want(t, exitOK, words...)
		b.wantReport(t, nil)
	}
	run("1 linked")
	s.wantState(v.id, "active")
	s.advance(25 * time.Hour)
	v.post("/link/validate").wantRedirect("/link")
	s.wantCalls(garmintest.OpRefresh, 1)
	run("1 were linked already")
	v.post("/link/unlink", "confirm", "yes").want(http.StatusSeeOther)
	run("1 have unlinked here")
	s.wantState(v.id, "not_linked")
	s.wantCalls(garmintest.OpRefresh, 1)
}

func TestImportRepairsWhatHasEnded(t *testing.T) {
	t.Parallel()
	s := serving(t)
	v := s.runner("runner")
	v.link("plain").wantRedirect("/link")
	s.garmin.RevokeAccount("plain@garmin.example")
	v.post("/link/validate").want(http.StatusUnprocessableEntity)
	s.wantState(v.id, "reauth_needed")

	other := s.bulk("--as", "id", write(t, map[string]string{v.id.String() + ".txt": s.dumped("other")}))
	other.want(t, exitFailure)
	other.wantReport(t, map[string]string{v.id.String(): "other_account"})
	s.wantState(v.id, "reauth_needed")
	s.bulk("--as", "id", write(t, map[string]string{v.id.String() + ".json": s.tokens("plain")})).want(t, exitOK, "1 linked")
	s.wantState(v.id, "active")
}

func TestImportReadsLines(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	own, nobody := s.newUser("own@example.com"), uuid.Must(uuid.NewV7())
	line := func(user, email string, session any) string {
		text, err := json.Marshal(map[string]any{"user": user, "email": email, "session": session})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	source := filepath.Join(t.TempDir(), "users.jsonl")
	text := strings.Join([]string{
		line("ext:42", "Contact@example.com", s.dumped("plain")),
		line(own.String(), "", json.RawMessage(s.tokens("mail"))),
		line(nobody.String(), "", s.dumped("nobody")),
		line("ext:43", "no address", s.dumped("unreachable")),
		`{"user": "ext:44", "session": `,
	}, "\n")
	if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b := s.bulk(source)
	b.want(t, exitFailure, "2 linked", "3 of 5 failed")
	b.wantReport(t, map[string]string{"users.jsonl:5": "invalid_line", "ext:43": "invalid_line", nobody.String(): "unknown_user"})
	s.wantState(s.external("42"), "active")
	s.wantState(own, "active")
	if got := stored[string](s, "SELECT email FROM users WHERE external_id = '42'"); got != "contact@example.com" {
		t.Errorf("contact data are %q", got)
	}
}

// Garmin's troubles are nobody's failure: all wait, and go on.
func TestImportWaitsForGarmin(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	dir := s.stores(8)
	s.garmin.Fail(garmintest.OpProfile, garmintest.ServerError, 3)
	s.garmin.Fail(garmintest.OpProfile, garmintest.AddressLimited(5*time.Second), 1) // sooner, an equal login counts as an echo
	s.garmin.Fail(garmintest.OpProfile, garmintest.EdgeBlocked, 2)
	b := s.bulk(dir)
	b.want(t, exitOK, "8 linked", "Garmin does not take more now", "are tried again")
	b.wantReport(t, nil)
	s.wantLinks(8)
}

func TestImportTellsWhenGarminStaysAway(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	dir := s.stores(2)
	s.garmin.Fail(garmintest.OpProfile, garmintest.EdgeBlocked, 0)
	b := s.bulk(dir)
	b.want(t, exitFailure, "2 of 2 failed")
	b.wantReport(t, map[string]string{"ext:user-0": "blocked", "ext:user-1": "blocked"})
	s.garmin.Clear()
	s.bulk(dir).want(t, exitOK, "2 linked")
}

func TestImportEndsSoftlyAndGoesOn(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	dir := s.stores(10)
	release := s.garmin.Hold(garmintest.OpProfile)
	stopped := s.bulk(dir)
	s.awaitGarmin(garmintest.OpProfile, importsAtOnce)
	stopped.ask(t, syscall.SIGINT)
	s.eventually("a word of the stop", func() bool { return strings.Contains(stopped.log.String(), "Stopping: ") })
	release()
	stopped.want(t, exitFailure, fmt.Sprintf("stopped after %d of 10", importsAtOnce), "run the same again")
	s.wantLinks(importsAtOnce)

	release = s.garmin.Hold(garmintest.OpProfile)
	killed := s.bulk(dir)
	s.awaitGarmin(garmintest.OpProfile, 2*importsAtOnce)
	killed.kill()
	release()
	s.advance(2 * time.Minute) // no login of a dead process stands in the way for longer
	s.bulk(dir).want(t, exitOK, fmt.Sprintf("%d linked", 10-importsAtOnce), fmt.Sprintf("%d were linked already", importsAtOnce))
	s.wantLinks(10)
}

func TestImportOverwritesNoReport(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	dir := s.stores(1)
	report := filepath.Join(write(t, map[string]string{"report.jsonl": "an earlier one"}), "report.jsonl")
	p := s.launch([]string{"import", "--report", report, dir})
	if code := p.exit(t); code != exitFailure || !strings.Contains(p.log.String(), "the report cannot be written") {
		t.Errorf("exit code %d: %s", code, p.log)
	}
	if text, err := os.ReadFile(report); err != nil || string(text) != "an earlier one" {
		t.Errorf("the earlier report is %q, %v", text, err)
	}
	s.wantLinks(0)
}
