package link

import (
	"math/rand/v2"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
)

const (
	// checkInterval is when a link is validated again that nobody uses.
	checkInterval = 24 * time.Hour

	// aheadShare is the part of a token's life after which it is renewed,
	// although it still works: there is time left to try again.
	aheadShare = 0.75

	// jitter spreads what began together, as a share of the wait.
	jitter = 0.1

	// warnTime is how long before an end that refreshing does not move the user
	// is told of it.
	warnTime = 7 * 24 * time.Hour
)

// spread is d, sooner by up to a tenth of it: never late.
func spread(d time.Duration) time.Duration {
	return d - time.Duration(rand.Float64()*jitter*float64(d))
}

// renewAt is when the session is to be renewed ahead of its end: at three
// quarters of the access token's life, or of the life of what renews it, which
// ends by age if it is never used.
func (r *Record) renewAt() time.Time {
	at := r.share(r.Session.ExpiresAt)
	if refresh := r.share(r.Session.RefreshExpiresAt); !refresh.IsZero() && refresh.Before(at) {
		return refresh
	}
	return at
}

// share is the moment at which aheadShare of the time up to end has passed;
// zero if either end of it is unknown.
func (r *Record) share(end time.Time) time.Time {
	if r.ObtainedAt.IsZero() || end.IsZero() {
		return end
	}
	return r.ObtainedAt.Add(time.Duration(aheadShare * float64(end.Sub(r.ObtainedAt))))
}

// untilCheck is when a link that was just found to work is due again.
func (r *Record) untilCheck() time.Duration {
	wait := spread(checkInterval)
	if r.fixedEnd() {
		return wait // renewing does not help
	}
	if ahead := r.renewAt().Sub(r.Now); ahead < wait {
		return max(spread(ahead), time.Minute)
	}
	return wait
}

// fixedEnd says that the session cannot be renewed.
func (r *Record) fixedEnd() bool { return !r.EndsAt.IsZero() && !r.EndsAt.After(r.Session.ExpiresAt) }

// endsSoon says that an end is so close that the user is told of it.
func (r *Record) endsSoon() bool {
	return r.State.Session == Live && !r.EndsAt.IsZero() && r.EndsAt.Sub(r.Now) < warnTime
}

// unwarned says that the world has not been told of the end that comes soon.
func (r *Record) unwarned() bool { return r.endsSoon() && !r.WarnedOf.Equal(r.EndsAt) }

// lasts reports that the access token lasts for longer than least.
func (r *Record) lasts(least time.Duration) bool {
	return r.Session.ExpiresAt.After(r.Now.Add(least))
}

// mayLast reports whether a refresh may give the session an access token that
// lasts for least. Those who ask again and again for more than Garmin gives must
// not use up a refresh each time.
func (r *Record) mayLast(least time.Duration) bool {
	switch {
	case !r.Session.ExpiresAt.After(r.Now):
		return true
	case r.fixedEnd():
		return false
	case r.tokenLife() < least:
		return r.RefreshedAt.IsZero() || !r.renewAt().After(r.Now)
	default:
		return r.Now.Sub(r.RefreshedAt) > recheckTime
	}
}

// longest is what can be asked of mayLast at any time, or of the access token
// that is there.
func (r *Record) longest() time.Duration {
	return max(r.Session.ExpiresAt.Sub(r.Now), r.tokenLife()-recheckTime)
}

// tokenLife is how long Garmin lets an access token live; zero before the first
// refresh, for one that was brought may have lived elsewhere.
func (r *Record) tokenLife() time.Duration {
	if r.RefreshedAt.IsZero() || r.fixedEnd() {
		return 0
	}
	return r.Session.ExpiresAt.Sub(r.RefreshedAt)
}

// hold makes a new session of the record. What does not state its end is taken
// to live as long as the one before.
func (r *Record) hold(next SealedSession, s *garmin.Session) error {
	former := r.Session
	if next.RefreshExpiresAt.IsZero() && !former.RefreshExpiresAt.IsZero() && !r.ObtainedAt.IsZero() {
		next.RefreshExpiresAt = r.Now.Add(former.RefreshExpiresAt.Sub(r.ObtainedAt))
	}
	end := s.EndsAt()
	// A refresh that did not move the end with the time has shown that none does.
	if s.Renewal() == garmin.RenewDI && !former.RefreshExpiresAt.IsZero() && !r.ObtainedAt.IsZero() &&
		next.RefreshExpiresAt.Sub(former.RefreshExpiresAt) < r.Now.Sub(r.ObtainedAt)/2 {
		end = next.RefreshExpiresAt
	}
	r.dropSession()
	r.Session, r.ObtainedAt, r.EndsAt = next, r.Now, end
	if r.WarnedOf.IsZero() || r.WarnedOf.Equal(end) {
		return nil
	}
	r.WarnedOf = time.Time{}
	return r.move(Averted)
}
