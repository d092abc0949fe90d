package link

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/garmin"
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

// quiet is how long the link is left alone after Garmin was asked, or a worker
// spoke, before an unauthorized has it checked: many workers say the same.
const quiet = time.Minute

// Report takes a worker's word for how a session fared. It moves no state: ok is
// a proof that the session worked, but only our own lets go of the one before
// it, for a worker can name a generation that it did not use; unauthorized has
// the link checked at once; rate_limited slows jobs down, if it is not long ago.
//
// A report on an older session is only put on record. It fails as Reported says.
func (s *Service) Report(ctx context.Context, act Act, r Report) (applied bool, err error) {
	all, err := s.ReportAll(ctx, act, []ReportFor{{User: act.User, Report: r}})
	if err != nil {
		return false, err
	}
	return all[0].Applied, all[0].Err
}

// ReportAll takes many reports, each for itself, and returns what came of them
// in their order. The user of act does not matter.
func (s *Service) ReportAll(ctx context.Context, act Act, reports []ReportFor) ([]Reported, error) {
	results := make([]Reported, len(reports))
	for _, round := range rounds(reports, results) {
		if err := s.takeReports(ctx, act, reports, round, results); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// rounds puts the reports that are of sense into groups that name no user
// twice, and refuses the others.
func rounds(reports []ReportFor, results []Reported) (groups [][]int) {
	turn := map[uuid.UUID]int{}
	for i, r := range reports {
		switch r.Outcome {
		case WorkerOK, WorkerUnauthorized, WorkerRateLimited:
		default:
			results[i].Err = fmt.Errorf("%w: %q", ErrUnknownOutcome, r.Outcome)
			continue
		}
		n := turn[r.User]
		turn[r.User]++
		if n == len(groups) {
			groups = append(groups, nil)
		}
		groups[n] = append(groups[n], i)
	}
	return groups
}

func (s *Service) takeReports(ctx context.Context, act Act, reports []ReportFor, round []int, results []Reported) error {
	batch := make([]ReportFor, len(round))
	for at, i := range round {
		batch[at] = reports[i]
	}
	taken, err := s.store.Report(ctx, act, batch, quiet, recheckTime)
	if err != nil {
		return err
	}
	for _, i := range round {
		t, found := taken[reports[i].User]
		switch {
		case !found:
			results[i].Err = ErrNotFound
		case t.Newer:
			results[i].Err = fail(GenerationUnknown)
		default:
			results[i].Applied = t.Applied
		}
		if t.Applied && reports[i].Outcome == WorkerRateLimited && t.Ago < spareTime {
			s.slowDown(ctx, hostName(garmin.Region(t.Region), apiHost))
		}
	}
	return nil
}
