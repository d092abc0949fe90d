// Package migrations holds the numbered SQL files that make the schema, for
// goose. It owns no code that runs them: see internal/postgres.
package migrations

import "embed"

// FS has the files at its root.
//
//go:embed *.sql
var FS embed.FS
