package postgres

import (
	"cmp"
	"context"
	"errors"
	"reflect"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/garminlink/garminlink/internal/link"
)

// connectRow is a row of connect_sessions.
type connectRow struct {
	ID             uuid.UUID `gorm:"primaryKey"`
	UserID         uuid.UUID
	TokenID        *uuid.UUID
	CreatedBy      *uuid.UUID
	IdempotencyKey *string
	RequestHash    []byte
	Purpose        string
	ReturnURL      string
	State          string
	Region         string
	Locale         string
	Browser        []byte
	BoundAt        *time.Time
	CodeGeneration *int64
	ReturnedAt     *time.Time
	Tries          int
	CreatedAt      time.Time `gorm:"autoCreateTime:false"`
	ExpiresAt      time.Time
	EndedAt        *time.Time
	Outcome        *string
}

func (connectRow) TableName() string { return "connect_sessions" }

// shownConnect is a connect session with what tells whose it is, and whether
// its candidate or challenge stands.
type shownConnect struct {
	Row         connectRow `gorm:"embedded;embeddedPrefix:c_"` // GORM passes over what is embedded and not exported
	Email       *string
	ExternalID  *string
	Application *string
	Account     *string
	Waiting     bool
	Asked       bool
	Now         time.Time
}

var connectQuery = "SELECT " + columns(&connectRow{}, "c") + `
	u.email, u.external_id, t.name AS application, k.user_id IS NOT NULL AS waiting, h.id IS NOT NULL AS asked, app_now() AS now,
		CASE WHEN c.purpose = 'relink' THEN coalesce(s.garmin_name, regexp_replace(s.garmin_email, '^(.)[^@]*', '\1…')) END AS account
	FROM connect_sessions c
	JOIN users u ON u.id = c.user_id
	LEFT JOIN service_tokens t ON t.id = c.token_id
	LEFT JOIN garmin_authentication_states s ON s.user_id = c.user_id
	LEFT JOIN garmin_candidates k ON k.user_id = c.user_id AND k.connect_session_id = c.id AND k.expires_at > app_now()
	LEFT JOIN garmin_challenges h ON h.id = s.challenge_id AND h.connect_session_id = c.id
		AND greatest(h.expires_at, h.claimed_until) > app_now()
	WHERE `

// Connect implements link.Store.
func (p *Links) Connect(ctx context.Context, id uuid.UUID) (link.ConnectSession, error) {
	c, err := readConnect(p.db.WithContext(ctx), "c.id = ?", id)
	return c, linkError(ctx, err)
}

// ConnectByKey implements link.Store.
func (p *Links) ConnectByKey(ctx context.Context, maker uuid.UUID, key string, within time.Duration) (link.ConnectSession, error) {
	db := p.db.WithContext(ctx)
	c, err := readConnect(db, "coalesce(c.token_id, c.created_by) = ? AND c.idempotency_key = ?", maker, key)
	if err == nil && !c.Now.Before(c.CreatedAt.Add(within)) {
		freed := db.Model(&connectRow{}).Where("id = ?", c.ID).Updates(map[string]any{"idempotency_key": nil, "request_hash": nil})
		c, err = link.ConnectSession{}, cmp.Or(freed.Error, link.ErrNotFound)
	}
	return c, linkError(ctx, err)
}

// connectOfUser reads within an Update, whose lock of the user guards it.
func connectOfUser(tx *gorm.DB, id, user uuid.UUID) (*link.ConnectSession, error) {
	c, err := readConnect(tx, "c.id = ? AND c.user_id = ?", id, user)
	return &c, err
}

func readConnect(db *gorm.DB, which string, args ...any) (link.ConnectSession, error) {
	var row shownConnect
	err := db.Raw(connectQuery+which, args...).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return link.ConnectSession{}, link.ErrNotFound
	}
	c := row.Row.session()
	c.Email, c.ExternalID = value(row.Email), value(row.ExternalID)
	c.Application, c.Account = value(row.Application), value(row.Account)
	c.Waiting, c.Asked, c.Now = row.Waiting, row.Asked, row.Now
	return c, err
}

func (c *connectRow) session() link.ConnectSession {
	return link.ConnectSession{
		ID: c.ID, User: c.UserID, Token: value(c.TokenID), Staff: value(c.CreatedBy),
		Purpose: link.Purpose(c.Purpose), ReturnURL: c.ReturnURL, State: c.State, Region: c.Region, Locale: c.Locale,
		Key: value(c.IdempotencyKey), Request: c.RequestHash,
		Browser: c.Browser, CodeGeneration: value(c.CodeGeneration), Tries: c.Tries,
		CreatedAt: c.CreatedAt, ExpiresAt: c.ExpiresAt, BoundAt: value(c.BoundAt), ReturnedAt: value(c.ReturnedAt),
		EndedAt: value(c.EndedAt), Outcome: link.ConnectStatus(value(c.Outcome)),
	}
}

func connectOf(c *link.ConnectSession) connectRow {
	return connectRow{
		ID: c.ID, UserID: c.User, TokenID: null(c.Token), CreatedBy: null(c.Staff),
		IdempotencyKey: null(c.Key), RequestHash: c.Request,
		Purpose: string(c.Purpose), ReturnURL: c.ReturnURL, State: c.State, Region: c.Region, Locale: c.Locale,
		Browser: c.Browser, BoundAt: null(c.BoundAt), CodeGeneration: null(c.CodeGeneration), ReturnedAt: null(c.ReturnedAt),
		Tries: c.Tries, CreatedAt: c.CreatedAt, ExpiresAt: c.ExpiresAt,
		EndedAt: null(c.EndedAt), Outcome: null(string(c.Outcome)),
	}
}

func writeConnect(tx *gorm.DB, old, r link.Record) error {
	if r.EndConnects {
		return supersede(tx, r)
	}
	if r.Displaced != uuid.Nil {
		if err := supersede(tx.Where("id = ?", r.Displaced), r); err != nil {
			return err
		}
	}
	if reflect.DeepEqual(old.Connect, r.Connect) {
		return nil
	}
	row := connectOf(r.Connect)
	if old.Connect == nil {
		return tx.Create(&row).Error
	}
	return tx.Model(&connectRow{}).Where("id = ?", row.ID).
		Select("browser", "bound_at", "code_generation", "returned_at", "tries", "ended_at", "outcome").Updates(&row).Error
}

// supersede ends connect sessions of the user.
func supersede(tx *gorm.DB, r link.Record) error {
	return tx.Model(&connectRow{}).Where("user_id = ? AND outcome IS NULL", r.User).
		Updates(map[string]any{"outcome": string(link.ConnectSuperseded), "ended_at": r.Now}).Error
}
