// Package messages owns the words that users read, in one file for each
// language. It does not know what they are said of: see their readers.
package messages

import _ "embed"

// English is keyed by the kinds of internal/link, above all.
//
//go:embed en.json
var English []byte
