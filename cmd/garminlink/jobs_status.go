package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/worker"
)

// jobStatus is what an operator wants to know at a glance.
type jobStatus struct {
	pausedAt    time.Time
	due         int
	overdue     time.Duration
	alive, dead int
	coolDowns   []link.CoolDown
	workers     []worker.Seen
	counts      []worker.Count
}

func readJobStatus(ctx context.Context, db *postgres.DB, control *worker.Control) (s jobStatus, err error) {
	links := postgres.NewLinks(db)
	for _, read := range []func() error{
		func() (err error) { s.pausedAt, err = control.PausedAt(ctx); return err },
		func() (err error) { s.due, s.overdue, err = links.Backlog(ctx); return err },
		func() (err error) { s.alive, s.dead, err = links.Verdicts(ctx, link.BrakeTime); return err },
		func() (err error) { s.coolDowns, err = links.CoolDowns(ctx, link.CoolDowns); return err },
		func() (err error) { s.workers, err = control.Workers(ctx); return err },
		func() (err error) { s.counts, err = control.Counts(ctx); return err },
	} {
		if err := read(); err != nil {
			return jobStatus{}, err
		}
	}
	return s, nil
}

func (s jobStatus) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	section(w, "Checks", []string{s.running()})
	section(w, "Due", []string{s.backlog()})
	section(w, "Garmin", s.garmin())
	section(w, "Judged", []string{fmt.Sprintf("%d alive and %d dead in %.0f minutes", s.alive, s.dead, link.BrakeTime.Minutes())})
	section(w, "Workers", s.seen())
	section(w, "Jobs", s.jobs())
	return w.Flush()
}

// section writes a title before the first of its lines.
func section(w io.Writer, title string, lines []string) {
	for _, line := range lines {
		fmt.Fprintf(w, "%s\t%s\n", title, line)
		title = ""
	}
}

func (s jobStatus) running() string {
	if s.pausedAt.IsZero() {
		return "not paused"
	}
	return "PAUSED since " + clock(s.pausedAt) + "; `garminlink jobs resume` ends it"
}

func (s jobStatus) backlog() string {
	if s.due == 0 {
		return "no link"
	}
	return fmt.Sprintf("links: %d, the longest for %s", s.due, short(s.overdue))
}

func (s jobStatus) garmin() (lines []string) {
	accounts := 0
	for _, c := range s.coolDowns {
		if h, _ := c.Holds(); h == link.HoldsAccount {
			accounts++
			continue
		}
		lines = append(lines, fmt.Sprintf("%s until %s (%s)", holdBack(c), clock(c.Until), short(c.Left)))
	}
	if accounts > 0 {
		lines = append(lines, fmt.Sprintf("accounts that Garmin wants left alone for a while: %d", accounts))
	}
	if lines == nil {
		return []string{"nothing is held back"}
	}
	return lines
}

// holdBack says what a cool-down stands for.
func holdBack(c link.CoolDown) string {
	switch h, host := c.Holds(); h {
	case link.HoldsHost:
		return host + " fails: jobs leave it alone"
	case link.HoldsAddress:
		return host + " has asked for a pause: nobody asks it"
	case link.HoldsJudging:
		return "JUDGING IS STOPPED, as too many sessions were refused at once: nobody is asked to sign in again,"
	default:
		return c.Key
	}
}

func (s jobStatus) seen() (lines []string) {
	for _, w := range s.workers {
		line := fmt.Sprintf("%s\tjobs: %d, the last %s ago", w.Name, w.Jobs, short(w.Ago))
		if w.Lead {
			line += ", leads"
		}
		lines = append(lines, line)
	}
	if lines == nil {
		return []string{"NONE was seen lately: start `garminlink serve` or `garminlink worker`"}
	}
	return lines
}

func (s jobStatus) jobs() (lines []string) {
	for _, c := range s.counts {
		lines = append(lines, fmt.Sprintf("%s\t%s: %d", c.Kind, c.State, c.Jobs))
	}
	if lines == nil {
		return []string{"none"}
	}
	return lines
}

func clock(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05 UTC") }

func short(d time.Duration) string { return d.Round(time.Second).String() }
