package link

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"
)

// longestNote is in characters.
const longestNote = 1000

// AskCheck does what Validate does, for staff: that they asked stands in the
// history.
func (s *Service) AskCheck(ctx context.Context, act Act) (Link, error) {
	err := s.update(ctx, act, func(r *Record) error {
		if err := r.mustBeLive(); err != nil {
			return err
		}
		return r.move(CheckAsked)
	})
	if err != nil {
		return Link{}, err
	}
	return s.Validate(ctx, act)
}

// Clear takes the session away, and all else that could open the account, so
// that the user has to sign in to Garmin again. Why is for him to read. It
// fails with InvalidNote, and with NotLinked and ReauthNeeded where there is
// none.
func (s *Service) Clear(ctx context.Context, act Act, why string) error {
	why, err := noteOf(why)
	if err != nil {
		return err
	}
	return s.update(ctx, act, func(r *Record) error {
		if err := r.mustBeLive(); err != nil {
			return err
		}
		r.Reason = SupportClearance
		return r.moveNoting(ClearedBySupport, why)
	})
}

// AddNote writes something down for other staff, and for the user. It fails
// with InvalidNote.
func (s *Service) AddNote(ctx context.Context, act Act, text string) error {
	text, err := noteOf(text)
	if err != nil {
		return err
	}
	return s.update(ctx, act, func(r *Record) error { return r.moveNoting(Noted, text) })
}

func (r *Record) mustBeLive() error {
	switch r.State.Session {
	case None:
		return fail(NotLinked)
	case Dead:
		return fail(ReauthNeeded)
	default:
		return nil
	}
}

func (r *Record) moveNoting(e Event, text string) error {
	if err := r.move(e); err != nil {
		return err
	}
	r.Entries[len(r.Entries)-1].Note = text
	return nil
}

// noteOf is a note as it is kept: what can be printed, and breaks of lines.
func noteOf(text string) (string, error) {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	odd := func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }
	if text == "" || !utf8.ValidString(text) || utf8.RuneCountInString(text) > longestNote || strings.ContainsFunc(text, odd) {
		return "", fail(InvalidNote)
	}
	return text, nil
}
