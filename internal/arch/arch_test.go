package arch

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

func TestArchitecture(t *testing.T) {
	t.Parallel()
	faults, err := judge(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range faults {
		t.Error(fault)
	}
}

// TestJudgeSeesFaults proves that the test above can fail.
func TestJudgeSeesFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, file, text, want string }{
		{"an arrow", "web/link.go", imports("web", module+"/internal/garmin"), "web must not import internal/garmin"},
		{"an arrow of a leaf", "internal/seal/seal.go", imports("seal", module+"/internal/link"), "internal/seal must not import internal/link"},
		{"an arrow to a command", "internal/link/link.go", imports("link", module+"/cmd/garminlink"), "internal/link must not import cmd/garminlink"},
		{"a renamed import", "views/page.go", "package views\nimport x \"" + module + "/internal/link\"", "views must not import internal/link"},
		{"gorm", "internal/account/users.go", imports("account", "gorm.io/gorm"), "gorm.io/gorm: how rows are stored"},
		{"gorm in a test", "web/web_test.go", imports("web", "gorm.io/gorm"), "gorm.io/gorm: how rows are stored"},
		{"echo", "internal/link/link.go", imports("link", "github.com/labstack/echo/v4"), "only web speaks HTTP"},
		{"templ beside render.go", "web/link.go", imports("web", "github.com/a-h/templ"), "rendered in one place"},
		{"the simulator in the program", "cmd/garminlink/main.go", imports("main", module+"/internal/garmin/garmintest"), "simulated Garmin by mistake"},
		{"pgtest in the program", "internal/postgres/links.go", imports("postgres", module+"/internal/postgres/pgtest"), "made for tests"},
		{"an impure file", "internal/link/state.go", imports("link", module+"/internal/garmin"), "state.go must import nothing of ours"},
		{"an unknown package", "internal/billing/billing.go", "package billing", "internal/billing is not in the design"},
		{"a vague folder", "internal/link/utils/x.go", "package x", "says nothing"},
		{"a vague package name", "internal/link/x.go", "package helpers", "says nothing"},
		{"a top folder", "lib/README", "", "lib is not a folder of the design"},
		{"code at the root", "main.go", "package main", "no code stands at the root"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			faults, err := judge(fstest.MapFS{c.file: {Data: []byte(c.text)}})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(faults, func(f string) bool { return strings.Contains(f, c.want) }) {
				t.Errorf("judge(%s) = %q, want one with %q", c.file, faults, c.want)
			}
		})
	}
}

func TestJudgeAllowsTheDesign(t *testing.T) {
	t.Parallel()
	faults, err := judge(fstest.MapFS{
		"Makefile":                    {},
		".dev/anything/utils/x.go":    {Data: []byte("package x")},
		"web/render.go":               {Data: []byte(imports("web", "github.com/a-h/templ", module+"/views"))},
		"web/web_test.go":             {Data: []byte(imports("web_test", module+"/internal/postgres/pgtest"))},
		"internal/dev/garmin.go":      {Data: []byte(imports("dev", module+"/internal/garmin/garmintest"))},
		"internal/link/testdata/x.go": {Data: []byte("not Go")},
		"docs/operations.md":          {},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(faults) > 0 {
		t.Errorf("judge found %q", faults)
	}
}

// imports writes a file that imports paths.
func imports(name string, paths ...string) string {
	return fmt.Sprintf("package %s\nimport (\n\"%s\"\n)", name, strings.Join(paths, "\"\n\""))
}

// judge returns every breach of the rules in the tree.
func judge(tree fs.FS) (faults []string, err error) {
	err = fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil || name == ".":
			return err
		case strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata":
			if entry.IsDir() {
				return fs.SkipDir
			}
		case entry.IsDir():
			faults = append(faults, judgeFolder(name)...)
		case path.Ext(name) == ".go":
			found, err := judgeFile(tree, name)
			faults = append(faults, found...)
			return err
		}
		return nil
	})
	return faults, err
}

func judgeFolder(name string) (faults []string) {
	if !strings.Contains(name, "/") && !slices.Contains(topFolders, name) {
		faults = append(faults, name+" is not a folder of the design; there are: "+strings.Join(topFolders, ", "))
	}
	if slices.Contains(vague, path.Base(name)) {
		faults = append(faults, name+": the name says nothing; name a package after its subject")
	}
	return faults
}

func judgeFile(tree fs.FS, name string) ([]string, error) {
	text, err := fs.ReadFile(tree, name)
	if err != nil {
		return nil, err
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	faults := judgePlace(name, file.Name.Name)
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		faults = append(faults, judgeImport(name, imported)...)
	}
	return faults, nil
}

func judgePlace(name, packageName string) (faults []string) {
	from := path.Dir(name)
	if _, known := arrows[from]; from == "." {
		faults = append(faults, name+": no code stands at the root")
	} else if !known {
		faults = append(faults, from+" is not in the design: add it to the arrows, or put the code where it belongs")
	}
	if slices.Contains(vague, strings.TrimSuffix(packageName, "_test")) {
		faults = append(faults, fmt.Sprintf("%s: the name of package %s says nothing", name, packageName))
	}
	return faults
}

func judgeImport(name, imported string) (faults []string) {
	from := path.Dir(name)
	ours, isOurs := strings.CutPrefix(imported, module+"/")
	if isOurs && slices.Contains(pure, name) {
		faults = append(faults, name+" must import nothing of ours")
	}
	if isOurs && !isTest(name) && !mayImport(from, ours) {
		faults = append(faults, fmt.Sprintf("%s: %s must not import %s; it may import: %s",
			name, from, ours, strings.Join(arrows[from], ", ")))
	}
	for _, r := range restrictions {
		if within(imported, r.imports) && !(r.tests && isTest(name)) &&
			!slices.ContainsFunc(r.only, func(place string) bool { return within(name, place) }) {
			faults = append(faults, fmt.Sprintf("%s must not import %s: %s", name, imported, r.reason))
		}
	}
	return faults
}

// mayImport tells of code that is no test: tests may use whatever they need
// to drive the real thing.
func mayImport(from, to string) bool {
	return slices.Contains(arrows[from], "*") || slices.Contains(arrows[from], to)
}

func within(name, place string) bool {
	return name == place || strings.HasPrefix(name, place+"/")
}

func isTest(name string) bool { return strings.HasSuffix(name, "_test.go") }
