package views

import (
	"context"
	"io"
)

// Jobs is the page of GET /support/jobs: how the jobs go that keep links alive.
type Jobs struct {
	Notice   string
	Problem  *Problem
	HeldBack []HeldBack
	Paused   Moment // zero: they are not
	Facts    []Fact
	Workers  []Worker
	Counts   []JobCount
}

// Worker is a process that takes jobs.
type Worker struct {
	Name string
	Jobs int
	Seen Moment
	Lead bool
}

// JobCount is how many jobs of a kind are in a state.
type JobCount struct {
	Kind, State string
	Count       int
}

func (Jobs) Title(ctx context.Context) string { return say(ctx, "Jobs") }

func (j Jobs) Render(ctx context.Context, w io.Writer) error { return jobs(j).Render(ctx, w) }
