package link

import (
	"context"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
)

// Format is a form in which other programs keep a session.
type Format string

const (
	Garth         Format = "garth"         // what garth's loads takes
	Garminconnect Format = "garminconnect" // what python-garminconnect keeps in a file
	Bearer        Format = "bearer"        // the access token alone
)

// exportLife is how long an exported session lasts at least, where nothing in
// it renews it.
const exportLife = 15 * time.Minute

// Export says what a user wants a copy of.
type Export struct {
	Format  Format
	Renewal bool // with what renews it
}

// Export gives the user a copy of his session, which lasts for at least a
// quarter of an hour. Without renewal the copy cannot harm the link. The
// history has it before the copy is given out.
//
// It fails with InvalidFormat, NoRenewalInFormat, NotLinked, ReauthNeeded and what Garmin may
// refuse.
func (s *Service) Export(ctx context.Context, act Act, e Export) (Secret, error) {
	if !e.Format.known() {
		return "", fail(InvalidFormat)
	}
	r, err := s.live(ctx, act.User)
	if err != nil {
		return "", err
	}
	if err := s.coolingDown(ctx, garmin.Region(r.Region), r.GarminEmail); err != nil && r.Session.ExpiresAt.Before(r.Now.Add(exportLife)) {
		return "", err
	}
	session, _, err := s.usable(ctx, act, r, exportLife)
	if err != nil {
		return "", err
	}
	text, err := e.Format.copyOf(session, e.Renewal)
	if err != nil {
		return "", err
	}
	err = s.update(ctx, act, func(r *Record) error {
		if r.State.Session != Live {
			return fail(NotLinked) // unlinked meanwhile
		}
		if err := r.move(Exported); err != nil {
			return err
		}
		if e.Renewal {
			r.Entries[len(r.Entries)-1].Reason = WithRenewal
		}
		return nil
	})
	return text, err
}

var dumps = map[Format]func(*garmin.Session) string{
	Garth:         (*garmin.Session).Dumps,
	Garminconnect: (*garmin.Session).DumpGarminconnect,
	Bearer:        func(s *garmin.Session) string { return s.AccessToken().Reveal() },
}

func (f Format) known() bool { return dumps[f] != nil }

// copyOf writes a session for another program. Without renewal nothing in it can
// renew it. It fails with NoRenewalInFormat.
func (f Format) copyOf(session *garmin.Session, renewal bool) (Secret, error) {
	switch {
	case !renewal:
		session = session.Stripped()
	case f == Bearer, f == Garminconnect && session.Renewal() == garmin.RenewOAuth1:
		return "", fail(NoRenewalInFormat)
	}
	return Secret(dumps[f](session)), nil
}
