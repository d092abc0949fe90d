package pgcluster

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// install makes programs that say what a server of PostgreSQL's says.
func install(t *testing.T, version string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for program, text := range map[string]string{
		"postgres": "#!/bin/sh\necho 'postgres (PostgreSQL) " + version + "'\n",
		"initdb":   "#!/bin/sh\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, program), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Not parallel: a program that was just written cannot be run while the fork
// of another test still has it open.
func TestInspectReadsTheMajorVersion(t *testing.T) {
	for said, want := range map[string]int{
		"15.14 (Debian 15.14-0+deb12u1)": 15,
		"18beta2":                        18,
		"9.6.24":                         9,
	} {
		if b, err := inspect(install(t, said)); err != nil || b.major != want {
			t.Errorf("inspect(%q) = %d, %v; want %d", said, b.major, err, want)
		}
	}
	if _, err := inspect(t.TempDir()); err == nil {
		t.Error("an empty folder passed for a server")
	}
}

func TestDataIsGivenToTheVersionThatWroteIt(t *testing.T) {
	t.Parallel()
	installed := installations{{dir: "new", major: 17}, {dir: "old", major: 15}}
	for _, c := range []struct{ written, want, fault string }{
		{written: "", want: "new"},
		{written: "17\n", want: "new"},
		{written: "15\n", want: "old"},
		{written: "14\n", fault: "written by PostgreSQL 14"},
	} {
		data := t.TempDir()
		if c.written != "" {
			if err := os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte(c.written), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		b, err := installed.match(data)
		if c.fault != "" {
			if err == nil || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("match(%q) gave %v", c.written, err)
			}
			continue
		}
		if err != nil || b.dir != c.want {
			t.Errorf("match(%q) = %s, %v; want %s", c.written, b.dir, err, c.want)
		}
	}
}
