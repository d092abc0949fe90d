package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/garminlink/garminlink/internal/link"
)

// A report has the time between these, unless it is given a name.
const (
	reportPrefix = "garminlink-import-"
	reportSuffix = ".jsonl"
)

// isReport says that a file was left behind by an import from its own folder.
func isReport(name string) bool {
	return strings.HasPrefix(name, reportPrefix) && strings.HasSuffix(name, reportSuffix)
}

// ending is how it went with one user.
type ending string

const (
	linkedNow   ending = "linked"
	wouldLink   ending = "would be linked, if Garmin accepts their sessions"
	linkedSince ending = "were linked already"
	leftAlone   ending = "have unlinked here, and were left alone"
	failedEnd   ending = "failed"
)

// tally counts endings, shows how far the import is, and writes down what
// failed: nothing of a session.
type tally struct {
	mu     sync.Mutex
	total  int
	counts map[ending]int
	bar    *progress
	report *os.File
	name   string
}

// newTally makes the report at once, so that an import does not fail for the
// lack of it later. Nothing is ever overwritten.
func newTally(name string, total int, bar *progress) (*tally, error) {
	report, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the report cannot be written: %w", err)
	}
	return &tally{total: total, counts: map[ending]int{}, bar: bar, report: report, name: name}, nil
}

func (t *tally) add(e ending) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[e]++
	t.bar.show(t.done(), t.total)
}

func (t *tally) done() (n int) {
	for _, count := range t.counts {
		n += count
	}
	return n
}

// say prints a line between the others.
func (t *tally) say(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bar.say(format, args...)
}

// fail notes a mishap of a newcomer.
func (t *tally) fail(n newcomer, m mishap) error {
	line, err := json.Marshal(struct {
		User  string `json:"user,omitempty"`
		Place string `json:"place"`
		Kind  string `json:"kind"`
		Text  string `json:"text"`
	}{n.who.String(), n.place, m.kind, m.text})
	if err != nil {
		return err
	}
	t.mu.Lock()
	_, err = t.report.Write(append(line, '\n'))
	t.mu.Unlock()
	if err != nil {
		return fmt.Errorf("the report cannot be written: %w", err)
	}
	t.add(failedEnd)
	return nil
}

// print tells how many ended in which way.
func (t *tally) print(w io.Writer) error {
	for _, e := range []ending{linkedNow, wouldLink, linkedSince, leftAlone, failedEnd} {
		if n := t.counts[e]; n > 0 {
			if _, err := fmt.Fprintf(w, "%d %s\n", n, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// close leaves no empty report behind.
func (t *tally) close() error {
	t.bar.end()
	err := t.report.Close()
	if t.counts[failedEnd] == 0 {
		err = errors.Join(err, os.Remove(t.name))
	}
	return err
}

// mishapOf words why a session was not taken; ok is false for a fault of ours.
func mishapOf(err error) (_ mishap, ok bool) {
	if m, ok := errors.AsType[mishap](err); ok {
		return m, true
	}
	kind := link.KindOf(err)
	text, known := importWords[kind]
	if !known {
		text = "Garmin said " + string(kind)
	}
	return mishap{string(kind), text}, kind != ""
}

// importWords tell those who run an import of link's kinds.
var importWords = map[link.Kind]string{
	link.SessionMissing:  "there is no session in it",
	link.SessionLong:     "too long for a session",
	link.SessionGarbled:  "neither JSON nor base64, or cut off",
	link.SessionUnknown:  "readable, but no session of garth's or python-garminconnect's",
	link.SessionHalf:     "one of garth's two files is missing: oauth1_token.json and oauth2_token.json",
	link.SessionEmpty:    "the access token is missing",
	link.SessionRegion:   "of no region of Garmin's, or of another than its token: garmin.com or garmin.cn",
	link.SessionOver:     "it has ended, and so has what would renew it: the user must link anew",
	link.SessionRefused:  "Garmin takes neither its token nor what would renew it, maybe because another program has renewed it since: the user must link anew",
	link.AccountTaken:    "another user here has linked this Garmin account",
	link.TooManyFailures: "too many sessions of this user were refused today: try again tomorrow",
	link.OtherAccount:    "it is of another Garmin account than this user had linked: he must link anew himself",
	link.Unavailable:     "Garmin did not answer, several times: run the import again",
	link.RateLimited:     "Garmin asked to slow down, several times: run the import again later",
	link.TokensLimited:   "Garmin asked to slow down, several times: run the import again later",
	link.UnknownAnswer:   "Garmin's answer was not understood, several times: run the import again",
	link.Blocked:         "Garmin's edge turned this server away, several times: run the import again later",
	link.InProgress:      "the user is signing in to Garmin, or another import is at it: run the import again",
	link.Superseded:      "the user began or ended something meanwhile: see what his page says",
}
