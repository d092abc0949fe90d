package link

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

// Outcome is how a session fared with a worker.
type Outcome string

const (
	WorkerOK           Outcome = "ok"
	WorkerUnauthorized Outcome = "unauthorized"
	WorkerRateLimited  Outcome = "rate_limited"
)

// ErrUnknownOutcome says that a report's outcome is none of the above.
var ErrUnknownOutcome = errors.New("link: unknown outcome of a report")

// Report is what a worker says of a session that it took out.
type Report struct {
	Generation int64
	Outcome    Outcome
	ObservedAt time.Time // zero: now; never taken to be later than now
}

// ReportFor is a Report of one user's session.
type ReportFor struct {
	User uuid.UUID
	Report
}

// Reported is what came of one report. Err is nil, ErrNotFound,
// ErrUnknownOutcome or a GenerationUnknown.
type Reported struct {
	Applied bool // false: it is on record, but the link has another session by now, or none
	Err     error
}

// Report takes a worker's word for how a session fared. See Reported for what
// comes of it.
func (s *Service) Report(ctx context.Context, act Act, r Report) (applied bool, err error) {
	return false, errors.ErrUnsupported
}

// ReportAll takes many reports, each for itself, and returns what came of them
// in their order. The user of act does not matter.
func (s *Service) ReportAll(ctx context.Context, act Act, reports []ReportFor) ([]Reported, error) {
	return nil, errors.ErrUnsupported
}
