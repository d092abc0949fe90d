package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/garminlink/garminlink/internal/link"
)

// subjectColumns go with subjectTables.
const subjectColumns = listedColumns + `, u.email, s.garmin_email, s.next_check_at,
	least(s.grant_refused_at, s.api_refused_since), c.method, c.sent_to, c.attempts, c.expires_at, app_now()`

const subjectTables = `users u LEFT JOIN garmin_authentication_states s ON s.user_id = u.id
		LEFT JOIN garmin_challenges c ON c.id = s.challenge_id`

// mostAlike is how many users are looked at whose e-mail address, or whose name
// and so on, begins with a text.
const mostAlike = 1000

// Search implements link.Store. It has each statement planned by its values:
// what is rare and what is common go different ways.
func (p *Links) Search(ctx context.Context, f link.Find, warn time.Duration) (link.Found, error) {
	var found link.Found
	var alike []uuid.UUID
	if f.Text != "" {
		var err error
		if alike, found.Crowded, err = p.alike(ctx, f.Text); err != nil || len(alike) == 0 {
			return found, err
		}
	}
	q, err := searchQuery(f, warn, alike)
	if err != nil {
		return found, err
	}
	rows, err := p.pool.Query(ctx, q.text.String(), append([]any{pgx.QueryExecModeCacheDescribe}, q.values...)...)
	if err != nil {
		return found, linkError(ctx, err)
	}
	found.Subjects, err = pgx.CollectRows(rows, subject)
	return found, linkError(ctx, err)
}

// alikeQuery looks for beginnings as ranges of bytes, up to the last character
// that there is.
const alikeQuery = `
	(SELECT 1, id FROM users WHERE email COLLATE "C" ` + begins + ` ORDER BY email COLLATE "C" LIMIT $2)
	UNION ALL
	(SELECT 2, id FROM users WHERE lower(external_id) COLLATE "C" ` + begins + ` ORDER BY lower(external_id) COLLATE "C" LIMIT $2)
	UNION ALL
	(SELECT 3, user_id FROM garmin_authentication_states WHERE coalesce(lower(garmin_name), '') COLLATE "C" ` + begins + `
		ORDER BY coalesce(lower(garmin_name), '') COLLATE "C" LIMIT $2)
	UNION ALL
	(SELECT 4, user_id FROM garmin_authentication_states WHERE lower(garmin_email) COLLATE "C" ` + begins + `
		ORDER BY lower(garmin_email) COLLATE "C" LIMIT $2)
	UNION ALL
	(SELECT 5, id FROM users WHERE id = $3)
	UNION ALL
	(SELECT DISTINCT 6, user_id FROM link_events WHERE request_id = $4 LIMIT $2)
	UNION ALL
	(SELECT DISTINCT 7, user_id FROM link_activity WHERE request_id = $4 AND at BETWEEN $5 AND $6 LIMIT $2)`

const begins = `BETWEEN lower($1) AND lower($1) || chr(1114111)`

// alike lists the users who may be meant by a text.
func (p *Links) alike(ctx context.Context, text string) (users []uuid.UUID, crowded bool, err error) {
	id, _ := uuid.Parse(text)
	reference, from, to := referenceOf(id)
	rows, err := p.pool.Query(ctx, alikeQuery, pgx.QueryExecModeCacheDescribe, text, mostAlike+1, id, reference, from, to)
	if err != nil {
		return nil, false, linkError(ctx, err)
	}
	var by int
	var user uuid.UUID
	counts := map[int]int{}
	_, err = pgx.ForEachRow(rows, []any{&by, &user}, func() error {
		if counts[by]++; counts[by] > mostAlike {
			crowded = true
			return nil
		}
		users = append(users, user)
		return nil
	})
	return users, crowded, linkError(ctx, err)
}

// requestTime is longer than a request takes to be on record, and than the clocks
// of the replicas and the database are apart.
const requestTime = 5 * time.Minute

// referenceOf is an id as that of a request, which tells when it came: so a day's
// record is searched in a few of its pages, and needs no index that each check-out
// would have to write.
func referenceOf(id uuid.UUID) (reference *string, from, to time.Time) {
	if id.Version() != 7 {
		return nil, from, to
	}
	text := id.String()
	came := time.Unix(id.Time().UnixTime())
	return &text, came.Add(-requestTime), came.Add(requestTime)
}

// query is a statement in the making, and the values of its parameters.
type query struct {
	text   strings.Builder
	values []any
}

// add adds a text whose verbs stand for values.
func (q *query) add(text string, values ...any) {
	numbers := make([]any, len(values))
	for i, v := range values {
		q.values = append(q.values, v)
		numbers[i] = len(q.values)
	}
	fmt.Fprintf(&q.text, text, numbers...)
}

// sortKey is an expression to sort by: in the words of an index, and for users
// who may have no link. The parameter of a page's end becomes last, to be
// compared with it.
type sortKey struct {
	expression, loose, last string
	of                      func(link.Spot) any
}

const (
	never     = `'-infinity'::timestamptz`
	validated = `coalesce(s.last_validated, ` + never + `)`
	nameKey   = `coalesce(lower(s.garmin_name), '') COLLATE "C"`
	lastTime  = `coalesce($%d::timestamptz, ` + never + `)`
)

var sortKeys = map[link.Order]sortKey{
	link.ByChange:     {`s.updated_at`, `coalesce(s.updated_at, ` + never + `)`, lastTime, spotTime},
	link.ByValidation: {validated, validated, lastTime, spotTime},
	link.ByName:       {nameKey, nameKey, `lower($%d::text)`, func(s link.Spot) any { return s.Name }},
	link.ByID:         {`s.user_id`, `a.id`, `$%d::uuid`, func(s link.Spot) any { return s.User }},
}

func spotTime(s link.Spot) any { return null(s.Time) }

// allPending are the challenges that pending is about, looked up once for all
// links.
const allPending = `(s.mfa_pending AND s.challenge_id = ANY (ARRAY(
	SELECT c.id FROM garmin_challenges c WHERE c.expires_at > app_now() OR c.claimed_until > app_now())))`

// searched is shown in the columns of the indexes that hold the orders: a
// generation stands for a session, and a reason for none.
var searched = map[string]string{
	"":              ` AND (s.generation IS NOT NULL OR s.reason IS NOT NULL OR ` + allPending + `)`,
	"active":        ` AND s.generation IS NOT NULL AND NOT ` + allPending,
	"reauth_needed": ` AND s.reason IS NOT NULL AND NOT ` + allPending,
	"mfa_pending":   ` AND ` + allPending,
}

// searchQuery takes the page first and then looks up the rest, so that no plan
// begins with all users.
func searchQuery(f link.Find, warn time.Duration, alike []uuid.UUID) (*query, error) {
	key, known := sortKeys[f.Order]
	if !known {
		return nil, link.ErrUnknownOrder
	}
	restriction, known := searched[f.State]
	if !known {
		return nil, link.ErrUnknownState
	}
	q := &query{values: []any{warn.Seconds()}} // $1 of listedColumns
	by, id := key.expression, "s.user_id"
	q.add(`WITH page AS (SELECT `)
	switch {
	case f.Text == "" && f.Order == link.ByChange && leavesOut(f.ValidatedBefore):
		q.add(`s.user_id AS id`+neglected+` WHERE true`+restriction, f.ValidatedBefore)
	case f.Text == "":
		q.add(`s.user_id AS id FROM garmin_authentication_states s WHERE true` + restriction)
	default:
		by, id = key.loose, "a.id"
		q.add(`a.id`+alikeTables+` WHERE true`, alike)
		if f.State != "" { // else users without a link, too
			q.add(restriction)
		}
	}
	q.restrict(f)
	order := q.from(f, key, by, id)
	q.add(` ORDER BY `+order+` LIMIT $%d)
		SELECT `+subjectColumns+` FROM page p JOIN (`+subjectTables+`) ON u.id = p.id
		ORDER BY `+strings.ReplaceAll(order, "a.id", "u.id"), f.Most)
	return q, nil
}

// alikeTables look one link up after the other: a plan for so many at once would
// read all.
const alikeTables = ` FROM (SELECT DISTINCT unnest($%d::uuid[]) AS id) a
	LEFT JOIN LATERAL (SELECT * FROM garmin_authentication_states WHERE user_id = a.id OFFSET 0) s ON true`

// neglected are the links that were not validated lately. They are found first,
// and then sorted: those that changed last are the very ones that it leaves out,
// which no statistics tell.
const neglected = ` FROM (SELECT * FROM garmin_authentication_states s WHERE ` + validated + ` < $%d OFFSET 0) s`

// leavesOut reports that some may have been validated after t.
func leavesOut(t time.Time) bool { return !t.IsZero() && t.Before(time.Now()) }

// from begins where the page before has ended, and returns the order.
func (q *query) from(f link.Find, key sortKey, by, id string) (order string) {
	sign, direction := ">", ""
	if f.Descending {
		sign, direction = "<", " DESC"
	}
	if f.After.User != uuid.Nil {
		q.add(` AND (`+by+`, `+id+`) `+sign+` (`+key.last+`, $%d::uuid)`, key.of(f.After), f.After.User)
	}
	return by + direction + ", " + id + direction
}

func (q *query) restrict(f link.Find) {
	if f.Reason != "" {
		q.add(` AND s.reason = $%d`, string(f.Reason))
	}
	if f.Region != "" {
		q.add(` AND s.region = $%d`, f.Region)
	}
	if !f.ValidatedBefore.IsZero() {
		q.add(` AND s.user_id IS NOT NULL AND `+validated+` < $%d`, f.ValidatedBefore)
	}
}

// Subject implements link.Store.
func (p *Links) Subject(ctx context.Context, user uuid.UUID, warn time.Duration) (link.Subject, error) {
	rows, err := p.pool.Query(ctx, `SELECT `+subjectColumns+` FROM `+subjectTables+` WHERE u.id = $2`, warn.Seconds(), user)
	if err != nil {
		return link.Subject{}, linkError(ctx, err)
	}
	s, err := pgx.CollectExactlyOneRow(rows, subject)
	if errors.Is(err, pgx.ErrNoRows) {
		return link.Subject{}, link.ErrNotFound
	}
	return s, linkError(ctx, err)
}

func subject(row pgx.CollectableRow) (link.Subject, error) {
	var l listedRow
	var email, garminEmail, method, sentTo *string
	var next, refused, expires *time.Time
	var attempts *int
	var s link.Subject
	err := row.Scan(append(l.columns(), &email, &garminEmail, &next, &refused, &method, &sentTo, &attempts, &expires, &s.AsOf)...)
	s.Listed, s.Email, s.GarminEmail = l.listed(), value(email), value(garminEmail)
	s.NextCheck, s.RefusedSince = value(next), value(refused)
	if s.State.Challenge {
		s.Challenge = &link.Waiting{
			Method: value(method), SentTo: value(sentTo), Tried: value(attempts), ExpiresAt: value(expires),
		}
	}
	return s, err
}
