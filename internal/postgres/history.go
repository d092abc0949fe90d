package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/garminlink/garminlink/internal/link"
)

// HasUnlinked reports that a link of the user's was removed at some time.
func (p *Links) HasUnlinked(ctx context.Context, user uuid.UUID) (has bool, err error) {
	err = p.pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM link_events WHERE user_id = $1 AND event = $2)", user, string(link.Unlinked)).Scan(&has)
	return has, orDown(ctx, err)
}

type pastRow struct {
	ID        int64
	CreatedAt time.Time
	Event     string
	Actor     string
	Name      *string
	Reason    *string
	Note      *string
	EndsAt    *time.Time
}

// History implements link.Store, from the index of a user's events.
func (p *Links) History(ctx context.Context, user uuid.UUID, before int64, most int) ([]link.Past, error) {
	rows, err := p.pool.Query(ctx, `
		SELECT e.id, e.created_at, e.event, e.actor, t.name, e.reason, e.note, e.ends_at
		FROM link_events e LEFT JOIN service_tokens t ON t.id = e.token_id
		WHERE e.user_id = $1 AND ($2 = 0 OR e.id < $2)
		ORDER BY e.id DESC LIMIT $3`, user, before, most)
	if err != nil {
		return nil, linkError(ctx, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[pastRow])
	past := make([]link.Past, len(found))
	for i, r := range found {
		past[i] = link.Past{
			ID: r.ID, At: r.CreatedAt, Event: link.Event(r.Event), By: link.Actor(r.Actor), Program: value(r.Name),
			Reason: link.Reason(value(r.Reason)), Note: value(r.Note), EndsAt: value(r.EndsAt),
		}
	}
	return past, linkError(ctx, err)
}

// Uses implements link.Store.
func (p *Links) Uses(ctx context.Context, user uuid.UUID, within time.Duration) ([]link.Use, error) {
	rows, err := p.pool.Query(ctx, `
		SELECT coalesce(a.token_id, '00000000-0000-0000-0000-000000000000'), coalesce(t.name, ''), date_trunc('day', a.at, 'UTC'), count(*), max(a.at), bool_or(a.op = 'with_renewal')
		FROM link_activity a LEFT JOIN service_tokens t ON t.id = a.token_id
		WHERE a.user_id = $1 AND a.at > app_now() - make_interval(secs => $2) AND a.what = 'checkout' AND a.outcome = ''
		GROUP BY 1, 2, 3 ORDER BY max(max(a.at)) OVER (PARTITION BY coalesce(a.token_id, '00000000-0000-0000-0000-000000000000')) DESC, 1, 3 DESC`, user, within.Seconds())
	if err != nil {
		return nil, linkError(ctx, err)
	}
	days, err := pgx.CollectRows(rows, pgx.RowToStructByPos[useRow])
	return usesOf(days), linkError(ctx, err)
}

// useRow is what one program did on one day.
type useRow struct {
	Token   uuid.UUID
	Program string
	Day     time.Time
	Times   int
	Last    time.Time
	Renewal bool
}

// usesOf puts the days of each program together, which follow on one another,
// the latest first.
func usesOf(days []useRow) (uses []link.Use) {
	var token uuid.UUID
	for i, d := range days {
		if i == 0 || d.Token != token {
			token = d.Token
			uses = append(uses, link.Use{Program: d.Program, Last: d.Last})
		}
		u := &uses[len(uses)-1]
		u.Renewal = u.Renewal || d.Renewal
		u.Days = append(u.Days, link.UseDay{On: d.Day.UTC(), Times: d.Times})
	}
	return uses
}
