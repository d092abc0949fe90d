// Package messages owns what errors, notices, reasons and the like say, by the
// kinds of their owners, in one file for each language. What pages say
// themselves is written in views.
package messages

import "embed"

//go:embed *.json
var files embed.FS

// In is the file of a language, by its BCP 47 tag. It fails with fs.ErrNotExist
// if there is none.
func In(tag string) ([]byte, error) { return files.ReadFile(tag + ".json") }
