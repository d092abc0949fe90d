package postgres

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/garminlink/garminlink/internal/link"
)

// timelineQuery takes from each record as much as it may need of it. With ties,
// so that the next page can begin at a time. Programs may come every minute, all
// day: what they did within an hour without trouble is one line, at the time of
// the last, and belongs to the page that has it whole. Where one comes so often
// that hourly has not room for two days of it, the earliest line counts short.
const timelineQuery = `
	WITH often AS (
		SELECT a.at, a.what, a.request_id, a.flow, a.region, a.op, a.token_id
		FROM link_activity a
		WHERE a.user_id = $1 AND a.at < date_trunc('hour', $2::timestamptz) + interval '1 hour'
			AND a.what IN ('checkout', 'report') AND a.outcome = ''
		ORDER BY a.at DESC LIMIT 20000),
	hourly AS (
		SELECT max(at) AS at, what, (array_agg(request_id ORDER BY at DESC))[1] AS request_id, flow, region, op, token_id, count(*) AS times
		FROM often GROUP BY date_trunc('hour', at), what, flow, region, op, token_id
		HAVING max(at) < $2)
	SELECT * FROM (
		(SELECT e.created_at AS at, 'event' AS source, e.event AS what, e.request_id, e.from_state, e.to_state,
			coalesce(e.reason, '') AS reason, coalesce(e.note, '') AS note, e.actor, coalesce(st.email, '') AS staff,
			coalesce(t.name, '') AS program, '' AS flow, '' AS region, '' AS op, '' AS outcome, 0 AS status, '' AS type,
			0::float8 AS seconds, 0 AS attempts, 1::bigint AS times, e.id AS place
		FROM link_events e
		LEFT JOIN service_tokens t ON t.id = e.token_id
		LEFT JOIN users st ON st.id = e.staff_id
		WHERE e.user_id = $1 AND e.created_at < $2
		ORDER BY e.created_at DESC FETCH FIRST $3 ROWS WITH TIES)
		UNION ALL
		(SELECT a.at, 'activity', a.what, a.request_id, '', '', '', '', '', '', coalesce(t.name, ''),
			a.flow, a.region, a.op, a.outcome, a.status, a.type, extract(epoch FROM a.took)::float8, 0, 1, 0
		FROM link_activity a
		LEFT JOIN service_tokens t ON t.id = a.token_id
		WHERE a.user_id = $1 AND a.at < $2 AND NOT (a.what IN ('checkout', 'report') AND a.outcome = '')
		ORDER BY a.at DESC FETCH FIRST $3 ROWS WITH TIES)
		UNION ALL
		(SELECT h.at, 'activity', h.what, h.request_id, '', '', '', '', '', '', coalesce(t.name, ''),
			h.flow, h.region, h.op, '', 0, '', 0, 0, h.times, 0
		FROM hourly h
		LEFT JOIN service_tokens t ON t.id = h.token_id
		ORDER BY h.at DESC FETCH FIRST $3 ROWS WITH TIES)
		UNION ALL
		(SELECT d.created_at, 'webhook', d.type, '', '', '', '', '', '', '', w.url, '', '', '', d.state, 0, '', 0, d.attempts, 1, coalesce(d.event_id, 0)
		FROM webhook_deliveries d JOIN webhook_endpoints w ON w.id = d.endpoint_id
		WHERE d.user_id = $1 AND d.created_at < $2
		ORDER BY d.created_at DESC FETCH FIRST $3 ROWS WITH TIES)
		UNION ALL
		(SELECT m.created_at, 'mail', m.type, '', '', '', '', '', '', '', '', '', '', '', m.state, 0, coalesce(m.error, ''), 0, m.attempts, 1, m.event_id
		FROM mail_notices m
		WHERE m.user_id = $1 AND m.created_at < $2
		ORDER BY m.created_at DESC FETCH FIRST $3 ROWS WITH TIES)
		UNION ALL
		(SELECT c.created_at, 'connect', c.purpose, '', '', '', '', '', '', coalesce(st.email, ''), coalesce(t.name, ''),
			'', c.region, '', coalesce(c.outcome, CASE WHEN c.expires_at <= app_now() THEN 'expired' ELSE 'open' END), 0, '', 0, 0, 1, 0
		FROM connect_sessions c
		LEFT JOIN service_tokens t ON t.id = c.token_id
		LEFT JOIN users st ON st.id = c.created_by
		WHERE c.user_id = $1 AND c.created_at < $2
		ORDER BY c.created_at DESC FETCH FIRST $3 ROWS WITH TIES)
	) AS happened
	ORDER BY at DESC FETCH FIRST $3 ROWS WITH TIES`

type occurrenceRow struct {
	At                        time.Time
	Source, What, RequestID   string
	FromState, ToState        string
	Reason, Note              string
	Actor, Staff, Program     string
	Flow, Region, Op, Outcome string
	Status                    int
	Type                      string
	Seconds                   float64
	Attempts                  int
	Times                     int
	Place                     int64 // in the order of commits, of events
}

// Timeline implements link.Store.
func (p *Links) Timeline(ctx context.Context, user uuid.UUID, before time.Time, most int) ([]link.Occurrence, error) {
	rows, err := p.pool.Query(ctx, timelineQuery, user, before, most)
	if err != nil {
		return nil, linkError(ctx, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[occurrenceRow])
	slices.SortStableFunc(found, func(a, b occurrenceRow) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.Place, a.Place))
	})
	happened := make([]link.Occurrence, len(found))
	for i, r := range found {
		happened[i] = r.occurrence()
	}
	return happened, linkError(ctx, err)
}

func (r occurrenceRow) occurrence() link.Occurrence {
	o := link.Occurrence{
		At: r.At, Source: link.Source(r.Source), What: r.What, RequestID: r.RequestID,
		From: r.FromState, To: r.ToState, Reason: link.Reason(r.Reason), Note: r.Note,
		Actor: link.Actor(r.Actor), Staff: r.Staff, Program: r.Program,
		Flow: r.Flow, Region: r.Region, Op: r.Op, Outcome: r.Outcome, Status: r.Status, Type: r.Type,
		Took: time.Duration(r.Seconds * float64(time.Second)), Attempts: r.Attempts, Times: r.Times,
	}
	if o.Source == link.FromWebhooks {
		o.Program = hostOf(r.Program)
	}
	return o
}

// hostOf leaves out what an address may have in its path that only the receiver
// is to know.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}
