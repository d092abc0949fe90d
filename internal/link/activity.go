package link

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/google/uuid"
)

// underway is the login on whose behalf Garmin is asked.
type underway struct {
	act   Act
	login uuid.UUID
}

type underwayKey struct{}

func withAttempt(ctx context.Context, act Act, login uuid.UUID) context.Context {
	return context.WithValue(ctx, underwayKey{}, underway{act, login})
}

// reportTo notes what each flow of a login answered, and tells next, which may
// be nil.
func (s *Service) reportTo(next func(context.Context, garmin.Attempt)) func(context.Context, garmin.Attempt) {
	return func(ctx context.Context, a garmin.Attempt) {
		if next != nil {
			next(ctx, a)
		}
		u, ok := ctx.Value(underwayKey{}).(underway)
		if !ok {
			return
		}
		s.note(ctx, Activity{
			User: u.act.User, Token: u.act.Token, RequestID: u.act.RequestID, What: "login", Flow: a.Flow, Region: string(a.Region),
			Op: a.Op, Outcome: string(a.Kind), Status: a.Status, Type: a.Type, Took: a.Took,
		})
	}
}

// noted notes how a hand-off, an import or a write-back ended, and returns that.
func (s *Service) noted(ctx context.Context, act Act, what string, region garmin.Region, result error) error {
	outcome := string(KindOf(result))
	if result != nil && outcome == "" {
		outcome = "fault" // of ours
	}
	s.note(ctx, Activity{
		User: act.User, Token: act.Token, RequestID: act.RequestID, What: what, Region: string(region), Outcome: outcome,
	})
	return result
}

// Refused is the What of an Activity that is a page which told a user that
// something did not work, and gave him a reference for support.
const Refused = "refused"

// NoteRefusal puts on record what a page could not do for a user: where, and why,
// as a kind or, for what is none, "fault".
func (s *Service) NoteRefusal(ctx context.Context, act Act, where string, why Kind, status int) {
	if why == "" {
		why = "fault"
	}
	s.note(ctx, Activity{User: act.User, RequestID: act.RequestID, What: Refused, Op: where, Outcome: string(why), Status: status})
}

// asking asks Garmin for a link, and notes what it answered and how long that
// took; that jobs wait for the budget is no fault of Garmin's.
func asking[T any](ctx context.Context, s *Service, act Act, what, region string, session *garmin.Session,
	ask func(context.Context, *garmin.Session) (T, error),
) (T, error) {
	began, waited := time.Now(), new(atomic.Int64)
	answer, err := ask(context.WithValue(ctx, waitedKey{}, waited), session)
	a := Activity{
		User: act.User, Token: act.Token, RequestID: act.RequestID, What: what, Region: region,
		Took: time.Since(began) - time.Duration(waited.Load()),
	}
	if e, ok := errors.AsType[*garmin.Error](err); ok {
		a.Op, a.Outcome, a.Status, a.Type = e.Op, string(e.Kind), e.Status, e.Type
	} else if err != nil {
		a.Outcome = "fault"
	}
	s.note(ctx, a)
	return answer, err
}

// waitedKey is where a call counts the time for which it was held back.
type waitedKey struct{}

func countWait(ctx context.Context, d time.Duration) {
	if waited, ok := ctx.Value(waitedKey{}).(*atomic.Int64); ok {
		waited.Add(int64(d))
	}
}

// note never stands in the way of what it tells about.
func (s *Service) note(ctx context.Context, a Activity) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	defer cancel()
	if err := s.store.Note(ctx, a); err != nil {
		s.log.ErrorContext(ctx, "an attempt is not on record", "request_id", a.RequestID, "error", err)
	}
}

// tellPause lets the user see that a login waits on purpose, and then waits;
// a nil wait is a timer's.
func (s *Service) tellPause(wait func(context.Context, time.Duration) error) func(context.Context, time.Duration) error {
	if wait == nil {
		wait = pause
	}
	return func(ctx context.Context, d time.Duration) error {
		if u, ok := ctx.Value(underwayKey{}).(underway); ok {
			if err := s.store.PauseLogin(ctx, u.login, d); err != nil {
				s.log.WarnContext(ctx, "a pause is not shown", "request_id", u.act.RequestID, "error", err)
			}
		}
		return wait(ctx, d)
	}
}
