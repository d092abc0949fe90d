package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"reflect"
	"time"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Links keeps links; it implements link.Store.
type Links struct {
	db           *gorm.DB
	pool         *pgxpool.Pool // for what GORM has no words for
	loans, looks together      // what is asked a thousand times a second
}

// NewLinks returns the links in db.
func NewLinks(db *DB) *Links {
	return &Links{db: db.Gorm, pool: db.Pool, loans: newTogether(db.Pool), looks: newTogether(db.Pool)}
}

// Record implements link.Store.
func (p *Links) Record(ctx context.Context, user uuid.UUID) (link.Record, error) {
	r, err := readRecord(p.db.WithContext(ctx), recordQuery, user)
	return r, linkError(ctx, err)
}

// Update implements link.Store. It locks the user first, so that two updates
// of a user without a link wait for each other too, and then the link's row,
// which single statements change without the user's lock.
func (p *Links) Update(ctx context.Context, act link.Act, decide func(*link.Record) error) error {
	err := p.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := lockUser(tx, act.User); err != nil {
			return err
		}
		lock := tx.Exec("SELECT FROM garmin_authentication_states WHERE user_id = ? FOR UPDATE", act.User)
		if lock.Error != nil {
			return lock.Error
		}
		old, err := readRecord(tx, updateQuery, act.User)
		if err == nil && act.Connect != uuid.Nil {
			old.Connect, err = connectOfUser(tx, act.Connect, act.User)
		}
		if err != nil {
			return err
		}
		r := copyOf(old)
		if err := decide(&r); err != nil {
			return err
		}
		return writeRecord(tx, act, old, r)
	})
	return linkError(ctx, err)
}

func lockUser(tx *gorm.DB, user uuid.UUID) error {
	locked := tx.Exec("SELECT FROM users WHERE id = ? FOR NO KEY UPDATE", user)
	if locked.Error == nil && locked.RowsAffected == 0 {
		return link.ErrNotFound
	}
	return locked.Error
}

// copyOf lets decide change what r points at without changing old.
func copyOf(old link.Record) link.Record {
	r := old
	if old.Challenge != nil {
		c := *old.Challenge
		r.Challenge = &c
	}
	if old.Candidate != nil {
		c := *old.Candidate
		r.Candidate = &c
	}
	if old.Login != nil {
		l := *old.Login
		r.Login = &l
	}
	if old.Connect != nil {
		c := *old.Connect
		r.Connect = &c
	}
	return r
}

func writeRecord(tx *gorm.DB, act link.Act, old, r link.Record) error {
	for _, write := range []func(*gorm.DB, link.Record, link.Record) error{
		writeChallenge, writeState, writeCandidate, writeLogin, writeConnect,
	} {
		if err := write(tx, old, r); err != nil {
			return err
		}
	}
	return writeEntries(tx, act, r)
}

func writeChallenge(tx *gorm.DB, old, r link.Record) error {
	if reflect.DeepEqual(old.Challenge, r.Challenge) {
		return nil
	}
	if old.Challenge != nil && (r.Challenge == nil || r.Challenge.ID != old.Challenge.ID) {
		if err := tx.Where("id = ?", old.Challenge.ID).Delete(&challengeRow{}).Error; err != nil {
			return err
		}
	}
	if r.Challenge == nil {
		return nil
	}
	row := challengeOf(r.User, r.Challenge)
	return tx.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, UpdateAll: true}).Create(&row).Error
}

func writeState(tx *gorm.DB, old, r link.Record) error {
	before, after := stateOf(&old), stateOf(&r)
	switch {
	case reflect.DeepEqual(before, after):
		return nil
	case r.State == link.State{}:
		return tx.Where("user_id = ?", r.User).Delete(&stateRow{}).Error
	case old.State == link.State{}:
		return tx.Create(&after).Error
	default:
		return tx.Model(&stateRow{}).Where("user_id = ?", r.User).
			Select("*").Omit("user_id", "created_at").Updates(&after).Error
	}
}

func writeCandidate(tx *gorm.DB, old, r link.Record) error {
	if reflect.DeepEqual(old.Candidate, r.Candidate) {
		return nil
	}
	if r.Candidate == nil {
		return tx.Where("user_id = ?", r.User).Delete(&candidateRow{}).Error
	}
	row := candidateOf(r.User, r.Candidate)
	if old.Candidate != nil {
		if err := tx.Where("user_id = ?", r.User).Delete(&candidateRow{}).Error; err != nil {
			return err
		}
	}
	return tx.Create(&row).Error
}

func writeLogin(tx *gorm.DB, old, r link.Record) error {
	if reflect.DeepEqual(old.Login, r.Login) {
		return nil
	}
	change := map[string]any{"withdrawn": r.Login.Withdrawn}
	if r.Login.Outcome != "" {
		change["ended_at"], change["outcome"], change["retry_at"] = r.Now, r.Login.Outcome, null(r.Login.RetryAt)
	}
	return tx.Model(&loginRow{}).Where("id = ?", r.Login.ID).Updates(change).Error
}

// Validated implements link.Store.
func (p *Links) Validated(ctx context.Context, user uuid.UUID, generation int64, next time.Duration) error {
	return linkError(ctx, p.db.WithContext(ctx).Exec(`
		WITH proved AS (
			UPDATE garmin_authentication_states
			SET last_validated = app_now(), updated_at = app_now(), next_check_at = app_now() + make_interval(secs => ?),
				api_refused_since = NULL, api_refused_at = NULL, grant_refused_at = NULL,
				previous_session = NULL, previous_generation = NULL, previous_key_id = NULL
			WHERE user_id = ? AND generation = ?
			RETURNING 1)
		INSERT INTO link_verdicts AS v (minute, alive) SELECT date_trunc('minute', app_now()), 1 FROM proved
		ON CONFLICT (minute) DO UPDATE SET alive = v.alive + 1`, next.Seconds(), user, generation).Error)
}

// ClaimRefresh implements link.Store.
func (p *Links) ClaimRefresh(ctx context.Context, user uuid.UUID, seen int64, owner uuid.UUID, lease time.Duration) (link.RefreshClaim, bool, error) {
	var claims []link.RefreshClaim
	err := p.db.WithContext(ctx).Raw(`
		WITH old AS (
			SELECT user_id, intent_generation IS NOT NULL AS unfinished
			FROM garmin_authentication_states
			WHERE user_id = ? AND generation = ? AND (lease_until IS NULL OR lease_until < app_now())
			FOR UPDATE)
		UPDATE garmin_authentication_states s
		SET lease_owner = ?, lease_until = app_now() + make_interval(secs => ?),
			intent_generation = nextval('session_generation'), intent_at = app_now()
		FROM old WHERE s.user_id = old.user_id
		RETURNING s.intent_generation AS generation, old.unfinished`, user, seen, owner, lease.Seconds()).Scan(&claims).Error
	if err != nil || len(claims) == 0 {
		return link.RefreshClaim{}, false, linkError(ctx, err)
	}
	return claims[0], true, nil
}

// isDown reports whether the database could not be reached, is going away or
// asks to try again, rather than having answered that something is wrong. The
// end of the caller's own ctx says nothing about the database.
func isDown(ctx context.Context, err error) bool {
	if err == nil || ctx.Err() != nil {
		return false
	}
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch answer.Code[:2] {
		case "08", "40", "53", "55", "57": // connection, roll-back, resources, a lock not to be had, operator
			return true
		}
		return answer.Code == "25006" || // a primary that has become a standby
			answer.Code == "42501" // a grant that is missing: an operator can put it right
	}
	_, network := errors.AsType[net.Error](err)
	_, connect := errors.AsType[*pgconn.ConnectError](err)
	return network || connect || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) ||
		errors.Is(err, context.DeadlineExceeded) || // pgx's own, while it connects
		errors.Is(err, driver.ErrBadConn) || pgconn.SafeToRetry(err)
}

// linkError names the faults that link tells apart.
func linkError(ctx context.Context, err error) error {
	if answer, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch answer.ConstraintName {
		case "garmin_account":
			return link.ErrAccountTaken
		case "connect_idempotency":
			return link.ErrKeyTaken
		}
	}
	return orDown(ctx, err)
}

// orDown marks the errors of a database that cannot be reached.
func orDown(ctx context.Context, err error) error {
	if isDown(ctx, err) {
		return errors.Join(link.ErrStoreDown, err)
	}
	return err
}
