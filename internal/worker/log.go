package worker

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// warnings passes on what River warns of. It tells much else: of each job that
// fails, which faults does.
type warnings struct{ slog.Handler }

func (h warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}

// faults logs the jobs that fail; it implements river.ErrorHandler.
type faults struct{ log *slog.Logger }

// HandleError implements river.ErrorHandler.
func (f faults) HandleError(ctx context.Context, job *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	f.tell(ctx, job, err)
	return nil
}

// HandlePanic implements river.ErrorHandler.
func (f faults) HandlePanic(ctx context.Context, job *rivertype.JobRow, value any, trace string) *river.ErrorHandlerResult {
	f.tell(ctx, job, fmt.Errorf("panic: %v", value), "stack", trace)
	return nil
}

func (f faults) tell(ctx context.Context, job *rivertype.JobRow, err error, more ...any) {
	f.log.ErrorContext(ctx, "a job failed", append([]any{
		"job", job.Kind, "request_id", fmt.Sprintf("job-%d", job.ID), "args", string(job.EncodedArgs), "error", err,
	}, more...)...)
}
