package views

import (
	"context"
	"io"
)

// Keys is the page of GET /support/keys: which keys seal what, and who has them.
// It has ids of keys, and no key.
type Keys struct {
	List     []Key
	Replicas []Replica
}

// Key is a key that somebody has, or something needs.
type Key struct {
	ID     string
	Seals  bool
	Needed string // by what, and by how many rows; "" by nothing
	Lacked string // by which replicas; "" by none
}

// Replica is a process that runs.
type Replica struct {
	Name    string
	Version string
	Seals   string // the id of the key that it seals with
	Seen    Moment
}

func (Keys) Title(ctx context.Context) string { return say(ctx, "Keys") }

func (k Keys) Render(ctx context.Context, w io.Writer) error { return keys(k).Render(ctx, w) }
