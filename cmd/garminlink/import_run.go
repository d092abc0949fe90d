package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/link"
)

const (
	importsAtOnce = 4 // how fast it goes is up to the budget that all replicas share
	importRounds  = 5 // in which a user is tried while it is not up to him
)

// roundPause is longer than a login stands in the way that a killed process has
// left behind. The tests of this program shorten it.
var roundPause = 100 * time.Second

// importer links newcomers.
type importer struct {
	links       *link.Service
	accounts    *account.Service
	hasUnlinked func(context.Context, uuid.UUID) (bool, error)
	name        string // of this run, in the history of links
	rehearsal   bool   // nobody is linked, and Garmin not asked
	tally       *tally
	gate        gate
	log         *slog.Logger
}

// run tries all newcomers, and those who were not linked for a reason that may
// pass once more in each round. It fails when no other can be linked either.
func (im *importer) run(ctx context.Context, all []newcomer) error {
	forget := context.AfterFunc(ctx, func() { im.tally.say("Stopping: those whom Garmin is being asked about come to their end.") })
	defer forget()
	for round := 1; len(all) > 0; round++ {
		if round > 1 {
			im.tally.say("In %s, %d are tried again.", roundPause, len(all))
			im.gate.shut(roundPause)
		}
		var err error
		if all, err = im.round(ctx, all, round == importRounds); err != nil {
			return err
		}
	}
	return nil
}

// round returns whom to try again.
func (im *importer) round(ctx context.Context, all []newcomer, last bool) ([]newcomer, error) {
	var (
		mu    sync.Mutex
		again []newcomer
	)
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(importsAtOnce)
	for _, n := range all {
		group.Go(func() error {
			if im.gate.wait(working) != nil {
				return nil // the others tell why
			}
			later, err := im.settle(working, n, last)
			if later {
				mu.Lock()
				defer mu.Unlock()
				again = append(again, n)
			}
			return err
		})
	}
	err := group.Wait()
	return again, errors.Join(ctx.Err(), err)
}

// settle links one newcomer, or notes why not. later says that he is to be
// tried again.
func (im *importer) settle(ctx context.Context, n newcomer, last bool) (later bool, err error) {
	end, err := im.link(ctx, n)
	switch link.KindOf(err) {
	case link.RateLimited, link.TokensLimited, link.Unavailable, link.Blocked, link.UnknownAnswer:
		im.holdBack(err)
		later = !last
	case link.InProgress, link.Superseded:
		later = !last
	}
	switch m, known := mishapOf(err); {
	case later:
		return true, nil
	case err == nil:
		im.tally.add(end)
		return false, nil
	case known:
		return false, im.tally.fail(n, m)
	case ctx.Err() != nil || errors.Is(err, link.ErrStoreDown):
		return false, err
	default:
		im.log.ErrorContext(ctx, "a fault of ours", "place", n.place, "error", err)
		return false, im.tally.fail(n, mishap{"fault", "a fault of ours, see the log"})
	}
}

// holdBack leaves Garmin alone for as long as it says.
func (im *importer) holdBack(err error) {
	e, _ := errors.AsType[*link.Error](err)
	if until := im.gate.shut(e.RetryAfter); !until.IsZero() {
		im.tally.say("Garmin does not take more now (%s): it goes on at %s.", e.Kind, until.Format(time.TimeOnly))
	}
}

// link links one newcomer. It fails with a mishap, one of link's kinds or a
// fault of ours.
func (im *importer) link(ctx context.Context, n newcomer) (ending, error) {
	brought, err := n.bring()
	if err != nil {
		return "", err
	}
	user, err := im.userOf(ctx, n)
	if err != nil {
		return "", err
	}
	act := link.Act{User: user, By: link.ByWorker, RequestID: im.name}
	if user != uuid.Nil {
		if end, err := im.standing(ctx, act); end != "" || err != nil {
			return end, err
		}
	}
	if im.rehearsal {
		return wouldLink, nil
	}
	switch l, err := im.links.Import(ctx, act, brought); {
	case link.KindOf(err) == link.AlreadyLinked:
		return linkedSince, nil
	case err != nil:
		return "", err
	case l.State.Session != link.Live:
		return "", &link.Error{Kind: link.OtherAccount}
	}
	im.gate.answered()
	return linkedNow, nil
}

// bring reads the session, if what was read before is in order.
func (n newcomer) bring() (link.Import, error) {
	if n.fault != nil {
		return link.Import{}, n.fault
	}
	text, err := n.session()
	if errors.Is(err, fs.ErrNotExist) {
		err = mishap{unreadable, "it is not there any more"}
	}
	if err != nil {
		return link.Import{}, err
	}
	i := link.Import{Text: text}
	return i, i.Check(time.Now())
}

// standing says how it stands with users who need no session of an old store:
// those with a live link, whose session was maybe renewed since it was imported,
// and those who have taken theirs away.
func (im *importer) standing(ctx context.Context, act link.Act) (ending, error) {
	l, err := im.links.View(ctx, act)
	if err != nil {
		return "", err
	}
	if l.State.Session == link.Live {
		return linkedSince, nil
	}
	if l.State.Session == link.Dead {
		return "", nil
	}
	gone, err := im.hasUnlinked(ctx, act.User)
	if gone {
		return leftAlone, err
	}
	return "", err
}

// finish runs to the end, tells what came of it, and fails unless all is well.
func (im *importer) finish(ctx context.Context, all []newcomer, out io.Writer) error {
	stopped := im.run(ctx, all)
	err := errors.Join(im.tally.close(), im.tally.print(out))
	failed := im.tally.counts[failedEnd]
	switch {
	case errors.Is(stopped, context.Canceled):
		return errors.Join(err, fmt.Errorf("stopped after %d of %d: run the same again to go on", im.tally.done(), im.tally.total))
	case stopped != nil:
		return errors.Join(err, fmt.Errorf("stopped after %d of %d: %w: run the same again to go on", im.tally.done(), im.tally.total, stopped))
	case failed > 0:
		return errors.Join(err, fmt.Errorf("%d of %d failed: see %s", failed, im.tally.total, im.tally.name))
	}
	if im.tally.counts[linkedNow] > 0 {
		fmt.Fprintln(out, warning)
	}
	return err
}

const warning = `From now on these sessions are renewed here. Programs that go on using the old
files will end the links when they renew them: stop those programs, or have them
check sessions out (docs/use-it.md).`
