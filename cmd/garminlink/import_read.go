package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/garminlink/garminlink/internal/link"
)

// newcomer is one user whom an import brings.
type newcomer struct {
	who     who
	contact string                      // his e-mail address; "" if nobody said
	place   string                      // where he stands in the source, for people
	session func() (link.Secret, error) // reads it from there
	fault   error                       // that makes all else meaningless; nil: none
}

// mishap says why one user was not linked: a kind for programs, a text for
// people, which holds nothing of a session.
type mishap struct{ kind, text string }

func (m mishap) Error() string { return m.text }

// Kinds of mishaps beside those of link.
const (
	invalidLine = "invalid_line"
	unreadable  = "unreadable"
	noFile      = "no_file" // what stands there is none, or a link to one
	noSession   = "no_session"
	invalidUser = "invalid_user"
	unknownUser = "unknown_user"
	userTwice   = "user_twice"
)

// maxSession is longer than a session may be, in bytes: link tells of one that
// is cut here.
const maxSession = 128 << 10

// batch is what one import brings. Sessions are read when their turn comes.
type batch struct {
	io.Closer
	all []newcomer
}

// openBatch reads who is in a folder of stores, or in a file of lines.
func openBatch(source string, as naming) (*batch, error) {
	info, err := os.Stat(source)
	if err != nil {
		return nil, err
	}
	var b *batch
	switch {
	case info.IsDir():
		b, err = openFolder(source, as)
	case !info.Mode().IsRegular():
		err = fmt.Errorf("%s is neither a folder nor a file that can be read twice", source)
	default:
		b, err = openLines(source)
	}
	if err != nil {
		return nil, err
	}
	b.markTwice()
	return b, nil
}

// markTwice refuses all who stand for the same user: which is right, nobody
// here can tell.
func (b *batch) markTwice() {
	first := map[who]*newcomer{}
	for i := range b.all {
		n := &b.all[i]
		if n.fault != nil {
			continue
		}
		former, again := first[n.who]
		if !again {
			first[n.who] = n
			continue
		}
		n.fault = mishap{userTwice, "this user stands at " + former.place + " too: keep one"}
		former.fault = mishap{userTwice, "this user stands at " + n.place + " too: keep one"}
	}
}

// The files of one user, as other programs name them.
const garminconnectFile = "garmin_tokens.json"

var garthFiles = []string{"oauth1_token.json", "oauth2_token.json"}

// openFolder finds a newcomer in each sub-folder and each file but the hidden
// and our reports.
// Nothing outside the folder is ever read, whatever links point there.
func openFolder(dir string, as naming) (*batch, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	b := &batch{Closer: root}
	for _, e := range entries {
		if e.Name() == garminconnectFile || slices.Contains(garthFiles, e.Name()) {
			err := fmt.Errorf("%s is the store of one user: name the folder that holds one like it for each user", dir)
			return nil, errors.Join(err, root.Close())
		}
		if !strings.HasPrefix(e.Name(), ".") && !isReport(e.Name()) {
			b.all = append(b.all, fromFolder(root, e, as))
		}
	}
	return b, nil
}

func fromFolder(root *os.Root, e fs.DirEntry, as naming) newcomer {
	n := newcomer{place: filepath.Join(root.Name(), e.Name())}
	name := e.Name()
	switch ext := filepath.Ext(name); {
	case e.IsDir():
		n.session = func() (link.Secret, error) { return readStore(root, e.Name()) }
	case ext == ".txt" || ext == ".json":
		name = strings.TrimSuffix(name, ext)
		n.session = func() (link.Secret, error) { return readFile(root, e.Name()) }
	default:
		n.fault = mishap{noFile, "neither a folder nor a file that ends in .txt or .json; links are not followed"}
		return n
	}
	n.who, n.fault = as.read(name)
	return n
}

// readStore reads the files of one user. python-garminconnect writes its own
// beside those that its former versions wrote by garth: it is the newer one.
func readStore(root *os.Root, folder string) (link.Secret, error) {
	text, err := readFile(root, filepath.Join(folder, garminconnectFile))
	if !errors.Is(err, fs.ErrNotExist) {
		return text, err
	}
	var both []string
	for _, name := range garthFiles {
		text, err := readFile(root, filepath.Join(folder, name))
		switch {
		case err == nil:
			both = append(both, text.Reveal())
		case !errors.Is(err, fs.ErrNotExist):
			return "", err
		}
	}
	if len(both) == 0 {
		return "", mishap{noSession, "there is neither " + strings.Join(garthFiles, " with ") + " nor " + garminconnectFile}
	}
	return link.Secret(strings.Join(both, "\n")), nil
}

// readFile reads regular files alone: a symbolic link may have been left by one
// user for another's session, and a pipe would never end.
func readFile(root *os.Root, name string) (link.Secret, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return "", unreadably(err)
	}
	if !info.Mode().IsRegular() {
		return "", mishap{noFile, filepath.Base(name) + " is no regular file; links are not followed"}
	}
	file, err := root.Open(name)
	if err != nil {
		return "", unreadably(err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxSession))
	return link.Secret(text), unreadably(err)
}

// unreadably leaves a missing file to those who can do without.
func unreadably(err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return mishap{unreadable, err.Error()}
}
