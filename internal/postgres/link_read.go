package postgres

import (
	"strings"
	"sync"
	"time"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"
)

// recordRow is a link with all that hangs on it, in one row; what does not
// exist is NULL and so stays zero.
type recordRow struct {
	Now       time.Time
	Fresh     int64
	State     stateRow     `gorm:"embedded;embeddedPrefix:s_"`
	Challenge challengeRow `gorm:"embedded;embeddedPrefix:c_"`
	Candidate candidateRow `gorm:"embedded;embeddedPrefix:k_"`
	Login     loginRow     `gorm:"embedded;embeddedPrefix:l_"`
	LastLogin loginRow     `gorm:"embedded;embeddedPrefix:e_"`
}

var (
	recordQuery = "SELECT app_now() AS now, 0 AS fresh, " + recordColumns
	updateQuery = "SELECT app_now() AS now, nextval('session_generation') AS fresh, " + recordColumns
)

var recordColumns = columns(&stateRow{}, "s") + columns(&challengeRow{}, "c") + columns(&candidateRow{}, "k") +
	columns(&loginRow{}, "l") + strings.TrimSuffix(columns(&loginRow{}, "e"), ", ") + `
FROM (SELECT CAST(? AS uuid) AS user_id) u
LEFT JOIN garmin_authentication_states s ON s.user_id = u.user_id
LEFT JOIN garmin_challenges c ON c.id = s.challenge_id
LEFT JOIN garmin_candidates k ON k.user_id = u.user_id
LEFT JOIN LATERAL (
	SELECT * FROM garmin_login_attempts
	WHERE user_id = u.user_id AND ended_at IS NULL
	ORDER BY started_at DESC LIMIT 1) l ON true
LEFT JOIN LATERAL (
	SELECT * FROM garmin_login_attempts
	WHERE user_id = u.user_id AND ended_at IS NOT NULL
	ORDER BY started_at DESC LIMIT 1) e ON true`

// columns lists the columns of a row under the prefix that recordRow gives them.
func columns(row any, alias string) string {
	parsed, err := schema.Parse(row, &sync.Map{}, schema.NamingStrategy{})
	if err != nil {
		panic(err) // a row type of this package is not a row type
	}
	var list strings.Builder
	for _, name := range parsed.DBNames {
		list.WriteString(alias + "." + name + " AS " + alias + "_" + name + ", ")
	}
	return list.String()
}

func readRecord(db *gorm.DB, query string, user uuid.UUID) (link.Record, error) {
	var row recordRow
	if err := db.Raw(query, user).Scan(&row).Error; err != nil {
		return link.Record{}, err
	}
	r := link.Record{User: user, Now: row.Now, Fresh: row.Fresh}
	if row.State.UserID == user {
		row.State.fill(&r)
	}
	if row.Challenge.UserID == user {
		r.Challenge = row.Challenge.pending()
	}
	if row.Candidate.UserID == user {
		r.Candidate = row.Candidate.candidate()
	}
	if row.Login.UserID == user {
		l := row.Login.login()
		r.Login = &l
	}
	if row.LastLogin.UserID == user {
		r.LastLogin = row.LastLogin.login()
	}
	return r, nil
}
