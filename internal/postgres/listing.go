package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/garminlink/garminlink/internal/link"
)

// pending says whether a login waits for a code. One that was claimed in time is
// not over before it is judged.
const pending = `(s.mfa_pending AND EXISTS (
	SELECT FROM garmin_challenges c
	WHERE c.id = s.challenge_id AND (c.expires_at > app_now() OR c.claimed_until > app_now())))`

const listedColumns = `u.id, u.external_id, s.session_data IS NOT NULL, s.reason, coalesce(` + pending + `, false),
	s.generation, s.region, s.garmin_name, s.created_at, s.state_since, s.last_validated, s.refreshed_at, s.session_expires_at,
	CASE WHEN s.session_data IS NOT NULL AND s.session_ends_at < app_now() + make_interval(secs => $1) THEN s.session_ends_at END,
	s.reported_at, s.reported_outcome, s.updated_at`

const (
	linkOfQuery = `SELECT ` + listedColumns + `
		FROM users u LEFT JOIN garmin_authentication_states s ON s.user_id = u.id WHERE u.id = $2`

	linksFrom = `SELECT ` + listedColumns + `
		FROM garmin_authentication_states s JOIN users u ON u.id = s.user_id
		WHERE (s.updated_at, s.user_id) > ($2, $3)`
	linksOrder = ` ORDER BY s.updated_at, s.user_id LIMIT $4`
)

// shown restricts a listing to what people see as a state. Each says it in the
// words of an index.
var shown = map[string]string{
	"":              ` AND (s.session_data IS NOT NULL OR s.reason IS NOT NULL OR ` + pending + `)`,
	"active":        ` AND s.session_data IS NOT NULL AND NOT ` + pending,
	"reauth_needed": ` AND s.session_data IS NULL AND s.reason IS NOT NULL AND NOT ` + pending,
	"mfa_pending":   ` AND ` + pending,
	"not_linked":    ` AND false`, // there is no row to list
}

func linksQuery(state string) string { return linksFrom + shown[state] + linksOrder }

// Links implements link.Store.
func (p *Links) Links(ctx context.Context, q link.Query, warn time.Duration) ([]link.Listed, error) {
	if _, known := shown[q.State]; !known {
		return nil, link.ErrUnknownState
	}
	after := q.After
	if after.UpdatedAt.Before(q.UpdatedAfter) {
		after = link.Place{UpdatedAt: q.UpdatedAfter, User: uuid.Max}
	}
	rows, err := p.pool.Query(ctx, linksQuery(q.State), warn.Seconds(), after.UpdatedAt, after.User, q.Most)
	if err != nil {
		return nil, linkError(ctx, err)
	}
	all, err := pgx.CollectRows(rows, listed)
	return all, linkError(ctx, err)
}

// LinkOf implements link.Store.
func (p *Links) LinkOf(ctx context.Context, user uuid.UUID, warn time.Duration) (link.Listed, error) {
	var r listedRow
	err := p.looks.row(ctx, linkOfQuery, []any{warn.Seconds(), user}, r.columns()...)
	if errors.Is(err, pgx.ErrNoRows) {
		return link.Listed{}, link.ErrNotFound
	}
	return r.listed(), linkError(ctx, err)
}

func listed(row pgx.CollectableRow) (link.Listed, error) {
	var r listedRow
	err := row.Scan(r.columns()...)
	return r.listed(), err
}

// listedRow holds listedColumns.
type listedRow struct {
	user                                    uuid.UUID
	live, pending                           bool
	external, reason, region, name, outcome *string
	generation                              *int64

	created, since, validated, refreshed, expires, before, reported, updated *time.Time
}

func (r *listedRow) columns() []any {
	return []any{
		&r.user, &r.external, &r.live, &r.reason, &r.pending, &r.generation, &r.region, &r.name, &r.created, &r.since,
		&r.validated, &r.refreshed, &r.expires, &r.before, &r.reported, &r.outcome, &r.updated,
	}
}

func (r *listedRow) listed() link.Listed {
	l := link.Listed{
		User: r.user, ExternalID: value(r.external), State: link.State{Challenge: r.pending}, Reason: link.Reason(value(r.reason)),
		Generation: value(r.generation), Region: value(r.region), GarminName: value(r.name),
		CreatedAt: value(r.created), Since: value(r.since), UpdatedAt: value(r.updated),
		LastValidated: value(r.validated), RefreshedAt: value(r.refreshed), ExpiresAt: value(r.expires),
		ReconnectBefore: value(r.before), ReportedAt: value(r.reported), ReportedOutcome: link.Outcome(value(r.outcome)),
	}
	switch {
	case r.live:
		l.State.Session = link.Live
	case r.reason != nil:
		l.State.Session = link.Dead
	}
	return l
}
