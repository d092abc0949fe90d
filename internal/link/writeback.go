package link

import (
	"context"
	"errors"
)

// WriteBack is a session that a program took out with renewal, and renewed.
type WriteBack struct {
	Text       Secret // in any form that Import reads
	Generation int64  // that it took out
}

// WriteBack puts the session in the place of the one of its generation. The
// very session that the link has changes nothing, and is no error.
//
// It fails with NotLinked and ReauthNeeded, GenerationMoved, OtherAccount, the
// Session kinds, what Garmin may refuse, and ErrUnreadable; the link is then as
// it was.
func (s *Service) WriteBack(ctx context.Context, act Act, w WriteBack) (Link, error) {
	return Link{}, errors.ErrUnsupported
}
