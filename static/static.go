// Package static owns the files that a browser loads beside the pages: styles,
// scripts and the icon. They are embedded, and each is served under a name that
// carries a hash of its content, so a browser may keep it for ever.
//
// It does not know which page uses which file (see views).
//
// htmx.min.js and hx-csp.min.js are htmx 4.0.1 as published on npm
// (https://www.npmjs.com/package/htmx.org); htmx.LICENSE is its licence.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"path"
	"strings"
	"sync"
)

// Prefix is where Handler is mounted.
const Prefix = "/static/"

//go:embed css/*.css *.js *.svg
var files embed.FS

// The style sheet is one file to browsers, app.css, and several to us: its
// layers are declared at the top of the first.
var sheets = []string{"css/tokens.css", "css/base.css", "css/forms.css", "css/parts.css", "css/prompt.css", "css/staff.css"}

// An asset is one file, ready to be sent.
type asset struct {
	path        string
	contentType string
	plain       []byte
	gzip        []byte
}

type catalogue struct {
	byName map[string]*asset // app.css
	byPath map[string]*asset // /static/app.0123456789ab.css
}

var assets = sync.OnceValue(func() catalogue { return load(files, sheets) })

// Path returns where the file of that name is served, such as
// /static/app.0123456789ab.css for app.css. It panics if there is no such
// file: names are literals in our own pages.
func Path(name string) string {
	a, ok := assets().byName[name]
	if !ok {
		panic("static: no file named " + name)
	}
	return a.path
}

func load(dir fs.FS, sheets []string) catalogue {
	c := catalogue{byName: map[string]*asset{}, byPath: map[string]*asset{}}
	names, err := fs.Glob(dir, "*.*")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		c.add(name, read(dir, name))
	}
	var css []byte
	for _, name := range sheets {
		css = append(css, read(dir, name)...)
	}
	c.add("app.css", css)
	return c
}

func (c catalogue) add(name string, body []byte) {
	a := newAsset(name, body)
	c.byName[name], c.byPath[a.path] = a, a
}

func read(dir fs.FS, name string) []byte {
	body, err := fs.ReadFile(dir, name)
	if err != nil {
		panic(err)
	}
	return body
}

func newAsset(name string, body []byte) *asset {
	sum := sha256.Sum256(body)
	ext := path.Ext(name)
	return &asset{
		path:        Prefix + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext,
		contentType: contentTypes[ext],
		plain:       body,
		gzip:        compress(body),
	}
}

func compress(body []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(body)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err) // a buffer takes every write
	}
	return b.Bytes()
}
