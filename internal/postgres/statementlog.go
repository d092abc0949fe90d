package postgres

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// slowStatement is what is worth an operator's attention.
const slowStatement = time.Second

// statementLog hears of every statement of a pool, whoever sends it. It writes
// none of their values down, and leaves errors alone: they go to the caller, who
// logs them once.
type statementLog struct{ log *slog.Logger }

type statementKey struct{}

type sentStatement struct {
	sql   string
	began time.Time
}

// TraceQueryStart implements pgx.QueryTracer.
func (l statementLog) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	return context.WithValue(ctx, statementKey{}, sentStatement{q.SQL, time.Now()})
}

// TraceQueryEnd implements pgx.QueryTracer.
func (l statementLog) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryEndData) {
	sent, _ := ctx.Value(statementKey{}).(sentStatement)
	l.note(ctx, sent, q.CommandTag)
}

// TraceBatchStart implements pgx.BatchTracer.
func (l statementLog) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return context.WithValue(ctx, statementKey{}, sentStatement{began: time.Now()})
}

// TraceBatchQuery implements pgx.BatchTracer. A statement took as long as those
// before it in its batch, and its own time: so long somebody waited for it.
func (l statementLog) TraceBatchQuery(ctx context.Context, _ *pgx.Conn, q pgx.TraceBatchQueryData) {
	sent, _ := ctx.Value(statementKey{}).(sentStatement)
	l.note(ctx, sentStatement{q.SQL, sent.began}, q.CommandTag)
}

// TraceBatchEnd implements pgx.BatchTracer.
func (statementLog) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

func (l statementLog) note(ctx context.Context, sent sentStatement, tag pgconn.CommandTag) {
	took, level := time.Since(sent.began), slog.LevelDebug
	if took >= slowStatement {
		level = slog.LevelWarn
	}
	if l.log.Enabled(ctx, level) {
		l.log.LogAttrs(ctx, level, "statement", slog.String("sql", sent.sql), slog.Duration("took", took),
			slog.Int64("rows", tag.RowsAffected()))
	}
}
