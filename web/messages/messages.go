// Package messages owns the words that users read, in one file for each
// language. It does not know what they are said of: see their readers.
package messages

import _ "embed"

// English is keyed by the kinds of internal/link, above all.
//
//go:embed en.json
var English []byte

// Language is one in which the pages can be read.
type Language struct {
	Tag  string // BCP 47
	Name string // in the language itself
}

// Languages lists all of them.
var Languages = []Language{{Tag: "en", Name: "English"}}
