package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"gorm.io/gorm/logger"
)

// slowStatement is what is worth an operator's attention.
const slowStatement = time.Second

// statementLog is GORM's logger. It never sees the values of a statement, and
// it leaves errors alone: they go to the caller, who logs them once.
type statementLog struct{ log *slog.Logger }

var (
	_ logger.Interface = statementLog{}
	// GORM asks for this method on the side: without it, values are printed.
	_ interface {
		ParamsFilter(context.Context, string, ...any) (string, []any)
	} = statementLog{}
)

func (l statementLog) ParamsFilter(_ context.Context, sql string, _ ...any) (string, []any) {
	return sql, nil
}

func (l statementLog) LogMode(logger.LogLevel) logger.Interface { return l }

func (l statementLog) Info(ctx context.Context, format string, args ...any) {
	l.log.InfoContext(ctx, fmt.Sprintf(format, args...))
}

func (l statementLog) Warn(ctx context.Context, format string, args ...any) {
	l.log.WarnContext(ctx, fmt.Sprintf(format, args...))
}

func (l statementLog) Error(ctx context.Context, format string, args ...any) {
	l.log.ErrorContext(ctx, fmt.Sprintf(format, args...))
}

func (l statementLog) Trace(ctx context.Context, begin time.Time, statement func() (string, int64), _ error) {
	took, level := time.Since(begin), slog.LevelDebug
	if took >= slowStatement {
		level = slog.LevelWarn
	}
	if !l.log.Enabled(ctx, level) {
		return
	}
	sql, rows := statement()
	l.log.LogAttrs(ctx, level, "statement", slog.String("sql", sql), slog.Duration("took", took), slog.Int64("rows", rows))
}
