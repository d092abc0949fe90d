package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/garminlink/garminlink/internal/link"
)

const checkOutQuery = `
	WITH held AS (
		SELECT session_data, key_id, generation, session_expires_at, last_validated, region, reason,
			extract(epoch FROM session_expires_at - app_now())::float8 AS secs_left,
			session_data IS NOT NULL AND session_expires_at > app_now() + make_interval(secs => $2) AS fresh
		FROM garmin_authentication_states WHERE user_id = $1),
	given AS (
		INSERT INTO link_activity (user_id, request_id, what, flow, region, op, outcome, status, type, took, token_id, generation)
		SELECT $1, $3, 'checkout', $4, region, $5, '', 0, '', interval '0', $6, generation FROM held WHERE fresh)
	SELECT session_data, key_id, generation, session_expires_at, last_validated, region, reason IS NOT NULL, secs_left, fresh
	FROM held`

// withRenewal is the op of a check-out of what renews the session.
const withRenewal = "with_renewal"

// lentRow has pgx's own types, which it reads without reflection.
type lentRow struct {
	Session                  []byte
	KeyID, Generation        pgtype.Int8
	ExpiresAt, LastValidated pgtype.Timestamptz
	Region                   string
	Reason                   bool
	Left                     pgtype.Float8
	Fresh                    bool
}

// CheckOut implements link.Store. It is the statement that is asked most: pgx
// prepares it once for each connection, and nothing stands between.
func (p *Links) CheckOut(ctx context.Context, act link.Act, c link.CheckOut) (link.Lent, error) {
	var op string
	if c.Renewal {
		op = withRenewal
	}
	var row lentRow
	err := p.onRecord(ctx, func() error {
		return p.loans.row(ctx, checkOutQuery,
			[]any{idOf(act.User), c.MinLife.Seconds(), act.RequestID, string(c.Format), op, idOf(act.Token)},
			&row.Session, &row.KeyID, &row.Generation, &row.ExpiresAt, &row.LastValidated, &row.Region,
			&row.Reason, &row.Left, &row.Fresh)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return link.Lent{}, nil
	}
	return row.lent(), err
}

func (r *lentRow) lent() link.Lent {
	l := link.Lent{Region: r.Region, LastValidated: r.LastValidated.Time, Given: r.Fresh}
	switch {
	case r.Session != nil:
		l.State = link.Live
	case r.Reason:
		l.State = link.Dead
	}
	l.Left = time.Duration(r.Left.Float64 * float64(time.Second))
	l.Session = link.SealedSession{
		Sealed: sealed(r.Session, r.KeyID.Int64), Generation: r.Generation.Int64, ExpiresAt: r.ExpiresAt.Time,
	}
	return l
}

// LentWithRenewal implements link.Store.
func (p *Links) LentWithRenewal(ctx context.Context, user uuid.UUID, generation int64) (lent bool, err error) {
	err = p.pool.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM link_activity
			WHERE user_id = $1 AND generation = $2 AND what = 'checkout' AND op = $3)`,
		user, generation, withRenewal).Scan(&lent)
	return lent, linkError(ctx, err)
}

// idOf spares pgx the reflection; the zero id is NULL.
func idOf(id uuid.UUID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: id != uuid.Nil} }
