package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// write makes files in a new folder; a name that ends in / is a folder.
func write(t testing.TB, files map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range files {
		folder, file := filepath.Split(dir + "/" + name)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if file == "" {
			continue
		}
		if err := os.WriteFile(folder+file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// opened reads a source, and tells of each newcomer his user and his session or
// the kind of his mishap.
func opened(t *testing.T, source string, as naming) map[string]string {
	t.Helper()
	b, err := openBatch(source, as)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	found := map[string]string{}
	for _, n := range b.all {
		place := strings.TrimPrefix(strings.TrimPrefix(n.place, source), "/")
		if err := n.fault; err != nil {
			found[place] = kindOf(t, err)
			continue
		}
		text, err := n.session()
		if err != nil {
			found[place] = n.who.String() + " " + kindOf(t, err)
			continue
		}
		found[place] = strings.TrimSpace(n.who.String() + " " + n.contact + " " + text.Reveal())
	}
	return found
}

func kindOf(t *testing.T, err error) string {
	t.Helper()
	m, ok := mishapOf(err)
	if !ok {
		t.Errorf("no mishap: %v", err)
	}
	return "! " + m.kind
}

func wantSame(t *testing.T, got, want map[string]string) {
	t.Helper()
	for place, text := range want {
		if got[place] != text {
			t.Errorf("%s: %q, want %q", place, got[place], text)
		}
		delete(got, place)
	}
	for place, text := range got {
		t.Errorf("%s: %q, want nothing", place, text)
	}
}

func TestFoldersHoldOneUserEach(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"garth/oauth1_token.json":         "one",
		"garth/oauth2_token.json":         "two",
		"half/oauth2_token.json":          "two",
		"newer/garmin_tokens.json":        "three",
		"newer/oauth1_token.json":         "one",
		"newer/oauth2_token.json":         "two",
		"line.txt":                        "dumped",
		"with.dot@example.com.json":       "{}",
		"empty/":                          "",
		"nested/deeper/oauth1_token.json": "one",
		"odd/garmin_tokens.json/":         "",
		"notes.md":                        "not a session",
		"42.txt":                          "a",
		"42/garmin_tokens.json":           "b",
		"con\ntrol.txt":                   "x",
		".git/config":                     "hidden",
		".DS_Store":                       "hidden",
		"garminlink-import-1.jsonl":       "a report of a former run",
		"huge.txt":                        strings.Repeat("x", 3*maxSession),
	})
	wantSame(t, opened(t, dir, byExternalID), map[string]string{
		"garth":                     "ext:garth  one\ntwo",
		"half":                      "ext:half  two",
		"newer":                     "ext:newer  three",
		"line.txt":                  "ext:line  dumped",
		"with.dot@example.com.json": "ext:with.dot@example.com  {}",
		"empty":                     "ext:empty ! no_session",
		"nested":                    "ext:nested ! no_session",
		"odd":                       "ext:odd ! no_file",
		"notes.md":                  "! no_file",
		"42":                        "! user_twice",
		"42.txt":                    "! user_twice",
		"con\ntrol.txt":             "! invalid_user",
		"huge.txt":                  "ext:huge  " + strings.Repeat("x", maxSession),
	})
}

func TestNamesAreReadAsAsked(t *testing.T) {
	t.Parallel()
	const id = "0195a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"
	dir := write(t, map[string]string{id + ".txt": "x", "Runner@Example.com.txt": "x", "ext:42.txt": "x"})
	wantSame(t, opened(t, dir, byID), map[string]string{
		id + ".txt": id + "  x", "Runner@Example.com.txt": "! invalid_user", "ext:42.txt": "! invalid_user",
	})
	wantSame(t, opened(t, dir, byEmail), map[string]string{
		id + ".txt": id + "  x", "Runner@Example.com.txt": "runner@example.com  x", "ext:42.txt": "ext:42  x",
	})
}

// One user's link may lead to another's session; what is no file may never end.
func TestLinksAndPipesAreNotRead(t *testing.T) {
	t.Parallel()
	outside := write(t, map[string]string{"garmin_tokens.json": "another's"})
	dir := write(t, map[string]string{"real/garmin_tokens.json": "his", "inside/": "", "across/": "", "pipe/": ""})
	for name, target := range map[string]string{
		"inside/garmin_tokens.json": "../real/garmin_tokens.json",
		"across/garmin_tokens.json": filepath.Join(outside, "garmin_tokens.json"),
		"folder":                    outside,
		"file.txt":                  filepath.Join(outside, "garmin_tokens.json"),
		"dangling.txt":              "nowhere",
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe", "garmin_tokens.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantSame(t, opened(t, dir, byExternalID), map[string]string{
		"real": "ext:real  his", "inside": "ext:inside ! no_file", "across": "ext:across ! no_file", "folder": "! no_file",
		"file.txt": "ext:file ! no_file", "dangling.txt": "ext:dangling ! no_file", "pipe": "ext:pipe ! no_file",
	})
}

func TestLinesHoldOneUserEach(t *testing.T) {
	t.Parallel()
	long, err := json.Marshal(map[string]string{"user": "ext:long", "session": strings.Repeat("x", maxLine)})
	if err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(write(t, map[string]string{"users.jsonl": strings.Join([]string{
		"\ufeff" + `{"user":"ext:first","session":"one"}`,
		`  {"session": {"di_token": "two"}, "user": "0195a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"}` + "\r",
		"", "  ",
		`{"user":"ext:5","email":"five@example.com","session":"f\u0069ve"}`,
		string(long),
		`{"user":"ext:7","session":[{"oauth_token":""},{}]}`,
		`{"user":"ext:8"`,
		`{"user":"ext:9","session":"x","token":"typing error"}`,
		`{"user":"ten","session":"x"}`,
		`{"user":"ext:11","session":"x"} {"user":"ext:12","session":"x"}`,
		`["ext:12"]`,
		`{"user":"ext:5","session":"again"}`,
		`{"user":"ext:14","session":null}`,
		`{"user":"ext:15"}`,
		`{"user":"ext:16","session":"x","user":"ext:17"}`,
		`{"USER":"ext:17","user":"ext:18","session":"x"}`,
		`{"user":"ext:18","session":"x"}]}`,
		`{"user":"ext:19","email":"no address","session":"x"}`,
		`{"user":"ext:last","session":"no end"}`,
	}, "\n")}), "users.jsonl")
	wantSame(t, opened(t, source, byExternalID), map[string]string{
		":1": "ext:first  one", ":2": `0195a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b  {"di_token": "two"}`,
		":5": "! user_twice", ":6": "! invalid_line", ":7": `ext:7  [{"oauth_token":""},{}]`, ":8": "! invalid_line", ":9": "! invalid_line",
		":10": "! invalid_user", ":11": "! invalid_line", ":12": "! invalid_line", ":13": "! user_twice",
		":14": "ext:14", ":15": "ext:15", ":16": "! invalid_line", ":17": "! invalid_line", ":18": "! invalid_line",
		":19": "! invalid_line", ":20": "ext:last  no end",
	})
}

func TestWhatChangesMeanwhileIsAMishap(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"gone.txt": "x", "users.jsonl": `{"user":"ext:1","session":"one"}` + "\n" + `{"user":"ext:2","session":"two"}`})
	for source, change := range map[string]func() error{
		dir + "/users.jsonl": func() error { return os.Truncate(dir+"/users.jsonl", 40) },
		dir:                  func() error { return os.Remove(dir + "/gone.txt") },
	} {
		b, err := openBatch(source, byExternalID)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		if err := change(); err != nil {
			t.Fatal(err)
		}
		last := b.all[len(b.all)-1]
		if source == dir {
			last = b.all[0]
		}
		if _, err := last.bring(); kindOf(t, err) != "! "+unreadable {
			t.Errorf("%s: %v", last.place, err)
		}
	}
}

func TestSourcesThatAreNoneAreRefused(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"one/oauth1_token.json": "", "one/oauth2_token.json": "", "users.jsonl": ""})
	for args, want := range map[string]string{
		"import":                                  "name one folder or file",
		"import " + dir + " " + dir:               "name one folder or file",
		"import " + dir + "/nobody":               "no such file",
		"import --as ext " + dir + "/users.jsonl": "--as is for folders",
		"import --as name " + dir:                 `"name" is neither ext, id nor email`,
	} {
		if got := garminlink(t, "", nil, strings.Fields(args)...); got.code != exitUsage || !got.says(want) {
			t.Errorf("garminlink %s: exit code %d, want %d with %q: %s", args, got.code, exitUsage, want, got.stderr)
		}
	}
	for source, want := range map[string]string{dir + "/one": "is the store of one user", "/dev/null": "neither a folder nor a file"} {
		if _, err := openBatch(source, byExternalID); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", source, err, want)
		}
	}
}

func TestFaultsOfOursAreNoMishaps(t *testing.T) {
	t.Parallel()
	if m, ok := mishapOf(errors.New("a fault")); ok {
		t.Errorf("told as %v", m)
	}
}
