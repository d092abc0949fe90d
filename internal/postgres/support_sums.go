package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/garminlink/garminlink/internal/link"
)

// keepSums is for how many days counts and sums are kept: charts show a month.
const keepSums = 35

// CountLinks implements link.Store. It counts whole indexes, and looks at those
// links alone that wait for a code.
func (p *Links) CountLinks(ctx context.Context) error {
	_, err := p.pool.Exec(ctx, `
		WITH existing AS (SELECT (SELECT count(*) FROM users) AS users, (SELECT count(*) FROM garmin_authentication_states) AS links),
		ended AS (SELECT reason, count(*) AS links FROM garmin_authentication_states WHERE reason IS NOT NULL GROUP BY reason),
		waiting AS (
			SELECT s.reason, s.generation IS NOT NULL AS live, `+pending+` AS counts
			FROM garmin_authentication_states s WHERE s.mfa_pending AND s.challenge_id IN (SELECT id FROM garmin_challenges)),
		unlinked AS (SELECT count(*) AS links FROM waiting WHERE NOT live AND reason IS NULL),
		counted (state, reason, links) AS (
			SELECT 'active', '', e.links - (SELECT coalesce(sum(links), 0) FROM ended) - u.links
				- (SELECT count(*) FROM waiting WHERE live AND counts) FROM existing e, unlinked u
			UNION ALL
			SELECT 'not_linked', '', e.users - e.links + (SELECT count(*) FROM waiting WHERE NOT live AND reason IS NULL AND NOT counts)
			FROM existing e
			UNION ALL
			SELECT 'mfa_pending', '', count(*) FROM waiting WHERE counts
			UNION ALL
			SELECT 'reauth_needed', r, coalesce((SELECT links FROM ended WHERE reason = r), 0)
				- (SELECT count(*) FROM waiting WHERE reason = r AND counts) FROM unnest($1::text[]) r)
		INSERT INTO link_daily (day, state, reason, links, counted_at)
		SELECT (app_now() AT TIME ZONE 'UTC')::date, state, reason, links, app_now() FROM counted
		ON CONFLICT (day, state, reason) DO UPDATE SET links = excluded.links, counted_at = excluded.counted_at`, link.DeadReasons)
	if err == nil {
		_, err = p.pool.Exec(ctx, "DELETE FROM link_daily WHERE day < (app_now() AT TIME ZONE 'UTC')::date - $1::int", keepSums)
	}
	return linkError(ctx, err)
}

// SumActivity implements link.Store. It goes back an hour behind the last that it
// has summed up, for what was written late. What is left of an hour whose rows
// are being removed never takes the place of the whole.
func (p *Links) SumActivity(ctx context.Context, bounds []time.Duration) error {
	seconds := make([]float64, len(bounds))
	for i, b := range bounds {
		seconds[i] = b.Seconds()
	}
	_, err := p.pool.Exec(ctx, `
		WITH since AS (
			SELECT coalesce(max(hour) - interval '1 hour', date_trunc('hour', app_now()) - interval '30 days') AS hour FROM activity_hourly),
		done AS (
			SELECT date_trunc('hour', a.at) AS hour, a.what, a.flow, a.region, a.outcome,
				width_bucket(extract(epoch FROM a.took)::float8, $1::float8[]) AS bucket, count(*) AS times
			FROM link_activity a WHERE a.at >= (SELECT hour FROM since) AND a.at <= app_now()
			GROUP BY 1, 2, 3, 4, 5, 6
			UNION ALL
			SELECT date_trunc('hour', v.minute), $2, '', '', o.outcome, 0, sum(o.times)
			FROM link_verdicts v, LATERAL (VALUES ('', v.alive), ($3, v.dead)) AS o (outcome, times)
			WHERE v.minute >= (SELECT hour FROM since) AND o.times > 0
			GROUP BY 1, 5)
		INSERT INTO activity_hourly AS h (hour, what, flow, region, outcome, times, took)
		SELECT hour, what, flow, region, outcome, sum(times),
			ARRAY(SELECT coalesce(sum(d.times), 0)::bigint FROM generate_series(0, cardinality($1::float8[])) AS b
				LEFT JOIN done d ON d.bucket = b AND (d.hour, d.what, d.flow, d.region, d.outcome)
					= (done.hour, done.what, done.flow, done.region, done.outcome)
				GROUP BY b ORDER BY b)
		FROM done GROUP BY hour, what, flow, region, outcome
		ON CONFLICT (hour, what, flow, region, outcome) DO UPDATE SET times = excluded.times, took = excluded.took
		WHERE h.times < excluded.times`, seconds, link.Verdict, link.VerdictDead)
	if err == nil {
		_, err = p.pool.Exec(ctx, "DELETE FROM activity_hourly WHERE hour < app_now() - make_interval(days => $1)", keepSums)
	}
	return linkError(ctx, err)
}

type dayRow struct {
	Day       time.Time
	State     string
	Reason    string
	Links     int
	CountedAt time.Time
}

// Daily implements link.Store.
func (p *Links) Daily(ctx context.Context, days int) ([]link.DayCount, error) {
	rows, err := p.pool.Query(ctx, `
		SELECT day, state, reason, links, counted_at FROM link_daily
		WHERE day > (app_now() AT TIME ZONE 'UTC')::date - $1::int ORDER BY day, state, reason`, days)
	if err != nil {
		return nil, linkError(ctx, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[dayRow])
	counts := make([]link.DayCount, len(found))
	for i, r := range found {
		counts[i] = link.DayCount{Day: r.Day, State: r.State, Reason: link.Reason(r.Reason), Links: r.Links, CountedAt: r.CountedAt}
	}
	return counts, linkError(ctx, err)
}

// Hourly implements link.Store. It begins with a whole hour.
func (p *Links) Hourly(ctx context.Context, within time.Duration) ([]link.HourSum, error) {
	rows, err := p.pool.Query(ctx, `
		SELECT hour, what, flow, region, outcome, times, took FROM activity_hourly
		WHERE hour > date_trunc('hour', app_now()) - make_interval(secs => $1) ORDER BY hour, what, flow, region, outcome`, within.Seconds())
	if err != nil {
		return nil, linkError(ctx, err)
	}
	sums, err := pgx.CollectRows(rows, pgx.RowToStructByPos[link.HourSum])
	return sums, linkError(ctx, err)
}
