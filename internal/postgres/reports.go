package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/garminlink/garminlink/internal/link"
)

// reportQuery locks the links in one order, so that two of these wait for each
// other and never in a circle. What was seen before the last proof says nothing
// against it; what comes too soon after one, or after another word, has the link
// checked a little later.
const reportQuery = `
	WITH said AS (
		SELECT s.user_id, s.generation, s.outcome, least(coalesce(s.at, app_now()), app_now()) AS at
		FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::timestamptz[]) AS s (user_id, generation, outcome, at)
		JOIN users u ON u.id = s.user_id),
	held AS (
		SELECT user_id, generation, region FROM garmin_authentication_states
		WHERE user_id = ANY ($1) ORDER BY user_id FOR NO KEY UPDATE),
	applied AS (
		UPDATE garmin_authentication_states l
		SET updated_at = app_now(), reported_at = app_now(), reported_outcome = s.outcome,
			last_validated = CASE WHEN s.outcome = 'ok' THEN greatest(l.last_validated, s.at) ELSE l.last_validated END,
			next_check_at = CASE WHEN s.outcome = 'unauthorized' AND s.at > greatest(l.last_validated, l.refreshed_at)
				THEN least(l.next_check_at, greatest(app_now(),
					greatest(l.last_validated, l.refreshed_at) + make_interval(secs => $7),
					CASE WHEN l.reported_outcome = 'unauthorized' THEN l.reported_at + make_interval(secs => $7) END,
					greatest(l.grant_refused_at, l.api_refused_at) + make_interval(secs => $8)))
				ELSE l.next_check_at END
		FROM said s JOIN held h ON h.user_id = s.user_id
		WHERE l.user_id = s.user_id AND l.generation = s.generation
		RETURNING l.user_id),
	noted AS (
		INSERT INTO link_activity (user_id, request_id, what, flow, region, op, outcome, status, type, took, token_id, generation)
		SELECT s.user_id, $5, 'report', '', coalesce(h.region, ''), '', CASE WHEN s.outcome = 'ok' THEN '' ELSE s.outcome END,
			0, '', interval '0', $6, s.generation
		FROM said s LEFT JOIN held h ON h.user_id = s.user_id
		WHERE (s.generation > h.generation) IS NOT TRUE)
	SELECT s.user_id, a.user_id IS NOT NULL, (s.generation > h.generation) IS TRUE, coalesce(h.region, ''),
		extract(epoch FROM app_now() - s.at)::float8
	FROM said s LEFT JOIN held h ON h.user_id = s.user_id LEFT JOIN applied a ON a.user_id = s.user_id`

// Report implements link.Store.
func (p *Links) Report(ctx context.Context, act link.Act, reports []link.ReportFor, quiet, refused time.Duration) (map[uuid.UUID]link.ReportTaken, error) {
	n := len(reports)
	users, generations := make([]pgtype.UUID, n), make([]int64, n)
	outcomes, times := make([]string, n), make([]*time.Time, n)
	for i, r := range reports {
		users[i], generations[i] = idOf(r.User), r.Generation
		outcomes[i], times[i] = string(r.Outcome), null(r.ObservedAt)
	}
	taken := make(map[uuid.UUID]link.ReportTaken, n)
	err := p.onRecord(ctx, func() error {
		rows, err := p.pool.Query(ctx, reportQuery, users, generations, outcomes, times,
			act.RequestID, idOf(act.Token), quiet.Seconds(), refused.Seconds())
		if err != nil {
			return err
		}
		var user uuid.UUID
		var t link.ReportTaken
		var ago float64 // seconds
		_, err = pgx.ForEachRow(rows, []any{&user, &t.Applied, &t.Newer, &t.Region, &ago}, func() error {
			t.Ago = time.Duration(ago * float64(time.Second))
			taken[user] = t
			return nil
		})
		return err
	})
	return taken, err
}
