package postgres

import (
	"time"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/google/uuid"
)

// stateRow is a row of garmin_authentication_states. GORM's own time stamps
// are off: times are the database's.
type stateRow struct {
	UserID        uuid.UUID `gorm:"primaryKey"`
	SessionData   []byte
	MFAPending    bool
	LastValidated *time.Time
	CreatedAt     time.Time `gorm:"autoCreateTime:false"`
	UpdatedAt     time.Time `gorm:"autoUpdateTime:false"`

	ChallengeID *uuid.UUID
	Reason      *string
	StateSince  time.Time

	Region      string
	GarminEmail string
	GarminGUID  *string `gorm:"column:garmin_guid"`
	GarminName  *string

	Generation        *int64
	KeyID             *int64
	SessionExpiresAt  *time.Time
	RefreshExpiresAt  *time.Time
	SessionObtainedAt *time.Time
	SessionEndsAt     *time.Time
	WarnedOf          *time.Time
	RefreshedAt       *time.Time
	NextCheckAt       *time.Time
	ReportedAt        *time.Time `gorm:"->"` // Report writes it, and no Update
	ReportedOutcome   *string    `gorm:"->"`

	LeaseOwner         *uuid.UUID
	LeaseUntil         *time.Time
	IntentGeneration   *int64
	IntentAt           *time.Time
	GrantRefusedAt     *time.Time
	APIRefusedSince    *time.Time `gorm:"column:api_refused_since"`
	APIRefusedAt       *time.Time `gorm:"column:api_refused_at"`
	PreviousSession    []byte
	PreviousGeneration *int64
	PreviousKeyID      *int64
}

func (stateRow) TableName() string { return "garmin_authentication_states" }

type challengeRow struct {
	ID           uuid.UUID `gorm:"primaryKey"`
	UserID       uuid.UUID
	Sealed       []byte
	KeyID        int64
	Region       string
	GarminEmail  string
	Method       string
	SentTo       string
	Attempts     int
	ClaimID      *uuid.UUID
	ClaimedUntil *time.Time
	SentAt       time.Time
	ExpiresAt    time.Time

	ConnectSessionID *uuid.UUID
}

func (challengeRow) TableName() string { return "garmin_challenges" }

type candidateRow struct {
	UserID           uuid.UUID `gorm:"primaryKey"`
	Generation       int64
	Sealed           []byte
	KeyID            int64
	Region           string
	GarminEmail      string
	GarminGUID       string `gorm:"column:garmin_guid"`
	GarminName       string
	SessionExpiresAt time.Time
	RefreshExpiresAt *time.Time
	ExpiresAt        time.Time
	CreatedAt        time.Time `gorm:"autoCreateTime:false"`
	ConnectSessionID *uuid.UUID
}

func (candidateRow) TableName() string { return "garmin_candidates" }

type loginRow struct {
	ID          uuid.UUID `gorm:"primaryKey"`
	UserID      uuid.UUID
	FormID      *uuid.UUID
	Way         string
	EmailMAC    []byte `gorm:"column:email_mac"`
	TicketMAC   []byte `gorm:"column:ticket_mac"`
	Withdrawn   bool
	StartedAt   time.Time
	PausedUntil *time.Time
	EndedAt     *time.Time
	Outcome     *string
	RetryAt     *time.Time
}

func (loginRow) TableName() string { return "garmin_login_attempts" }

type eventRow struct {
	ID        int64 `gorm:"primaryKey;autoIncrement"`
	UserID    uuid.UUID
	Event     string
	FromState string
	ToState   string
	Reason    *string
	Actor     string
	TokenID   *uuid.UUID
	StaffID   *uuid.UUID
	Note      *string
	RequestID string
	CreatedAt time.Time `gorm:"autoCreateTime:false"`
	Type      *string
	EndsAt    *time.Time
}

func (eventRow) TableName() string { return "link_events" }

// null turns a zero value into NULL, value turns NULL into a zero value.
func null[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func value[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

func sealed(ciphertext []byte, key int64) link.Sealed {
	return link.Sealed{KeyID: uint32(key), Ciphertext: ciphertext}
}

func (s *stateRow) fill(r *link.Record) {
	r.State.Challenge = s.MFAPending
	switch {
	case s.SessionData != nil:
		r.State.Session = link.Live
	case s.Reason != nil:
		r.State.Session = link.Dead
	}
	r.Region, r.GarminEmail = s.Region, s.GarminEmail
	r.GarminGUID, r.GarminName = value(s.GarminGUID), value(s.GarminName)
	r.Reason = link.Reason(value(s.Reason))
	r.CreatedAt, r.Since, r.LastValidated = s.CreatedAt, s.StateSince, value(s.LastValidated)
	r.Session = link.SealedSession{
		Sealed: sealed(s.SessionData, value(s.KeyID)), Generation: value(s.Generation),
		ExpiresAt: value(s.SessionExpiresAt), RefreshExpiresAt: value(s.RefreshExpiresAt),
	}
	r.ObtainedAt, r.EndsAt, r.WarnedOf = value(s.SessionObtainedAt), value(s.SessionEndsAt), value(s.WarnedOf)
	r.RefreshedAt, r.NextCheck = value(s.RefreshedAt), value(s.NextCheckAt)
	r.ReportedAt, r.ReportedOutcome = value(s.ReportedAt), link.Outcome(value(s.ReportedOutcome))
	r.LeaseOwner, r.LeaseUntil = value(s.LeaseOwner), value(s.LeaseUntil)
	r.Intent, r.IntentAt = value(s.IntentGeneration), value(s.IntentAt)
	r.GrantRefusedAt = value(s.GrantRefusedAt)
	r.APIRefusedSince, r.APIRefusedAt = value(s.APIRefusedSince), value(s.APIRefusedAt)
	r.Previous = link.SealedSession{
		Sealed: sealed(s.PreviousSession, value(s.PreviousKeyID)), Generation: value(s.PreviousGeneration),
	}
}

func stateOf(r *link.Record) stateRow {
	s := stateRow{
		UserID: r.User, SessionData: r.Session.Ciphertext, MFAPending: r.Challenge != nil,
		LastValidated: null(r.LastValidated), CreatedAt: r.CreatedAt, UpdatedAt: r.Now,
		Reason: null(string(r.Reason)), StateSince: r.Since,
		Region: r.Region, GarminEmail: r.GarminEmail,
		GarminGUID: null(r.GarminGUID), GarminName: null(r.GarminName),
		Generation: null(r.Session.Generation), KeyID: null(int64(r.Session.KeyID)),
		SessionExpiresAt: null(r.Session.ExpiresAt), RefreshExpiresAt: null(r.Session.RefreshExpiresAt),
		SessionObtainedAt: null(r.ObtainedAt), SessionEndsAt: null(r.EndsAt), WarnedOf: null(r.WarnedOf),
		RefreshedAt: null(r.RefreshedAt), NextCheckAt: null(r.NextCheck),
		LeaseOwner: null(r.LeaseOwner), LeaseUntil: null(r.LeaseUntil),
		IntentGeneration: null(r.Intent), IntentAt: null(r.IntentAt),
		GrantRefusedAt:  null(r.GrantRefusedAt),
		APIRefusedSince: null(r.APIRefusedSince), APIRefusedAt: null(r.APIRefusedAt),
		PreviousSession:    r.Previous.Ciphertext,
		PreviousGeneration: null(r.Previous.Generation), PreviousKeyID: null(int64(r.Previous.KeyID)),
	}
	if r.Challenge != nil {
		s.ChallengeID = &r.Challenge.ID
	}
	if s.CreatedAt.IsZero() {
		s.CreatedAt = r.Now
	}
	return s
}

func (c *challengeRow) pending() *link.PendingChallenge {
	return &link.PendingChallenge{
		ID: c.ID, Sealed: sealed(c.Sealed, c.KeyID), Region: c.Region, GarminEmail: c.GarminEmail,
		Method: c.Method, SentTo: c.SentTo, Attempts: c.Attempts,
		Claim: value(c.ClaimID), ClaimedUntil: value(c.ClaimedUntil),
		SentAt: c.SentAt, ExpiresAt: c.ExpiresAt, Connect: value(c.ConnectSessionID),
	}
}

func challengeOf(user uuid.UUID, c *link.PendingChallenge) challengeRow {
	return challengeRow{
		ID: c.ID, UserID: user, Sealed: c.Sealed.Ciphertext, KeyID: int64(c.Sealed.KeyID),
		Region: c.Region, GarminEmail: c.GarminEmail, Method: c.Method, SentTo: c.SentTo,
		Attempts: c.Attempts, ClaimID: null(c.Claim), ClaimedUntil: null(c.ClaimedUntil),
		SentAt: c.SentAt, ExpiresAt: c.ExpiresAt, ConnectSessionID: null(c.Connect),
	}
}

func (c *candidateRow) candidate() *link.SealedCandidate {
	return &link.SealedCandidate{
		Session: link.SealedSession{
			Sealed: sealed(c.Sealed, c.KeyID), Generation: c.Generation,
			ExpiresAt: c.SessionExpiresAt, RefreshExpiresAt: value(c.RefreshExpiresAt),
		},
		Region: c.Region, GarminEmail: c.GarminEmail, GarminGUID: c.GarminGUID,
		GarminName: c.GarminName, ProvedAt: c.CreatedAt, ExpiresAt: c.ExpiresAt, Connect: value(c.ConnectSessionID),
	}
}

func candidateOf(user uuid.UUID, c *link.SealedCandidate) candidateRow {
	return candidateRow{
		UserID: user, Generation: c.Session.Generation,
		Sealed: c.Session.Ciphertext, KeyID: int64(c.Session.KeyID),
		Region: c.Region, GarminEmail: c.GarminEmail, GarminGUID: c.GarminGUID, GarminName: c.GarminName,
		SessionExpiresAt: c.Session.ExpiresAt, RefreshExpiresAt: null(c.Session.RefreshExpiresAt),
		CreatedAt: c.ProvedAt, ExpiresAt: c.ExpiresAt, ConnectSessionID: null(c.Connect),
	}
}

func (l *loginRow) login() link.Login {
	return link.Login{
		ID: l.ID, Way: link.Way(l.Way), Form: value(l.FormID), Subject: l.subject(), Withdrawn: l.Withdrawn,
		StartedAt: l.StartedAt, PausedUntil: value(l.PausedUntil),
		EndedAt: value(l.EndedAt), Outcome: value(l.Outcome), RetryAt: value(l.RetryAt),
	}
}

// subject is what the login came with. A release that knows passwords alone
// reads the MACs of e-mails, which so must hold nothing else.
func (l *loginRow) subject() []byte {
	if l.TicketMAC != nil {
		return l.TicketMAC
	}
	return l.EmailMAC
}

func loginOf(user uuid.UUID, l link.Login, now time.Time) loginRow {
	row := loginRow{ID: l.ID, UserID: user, Way: string(l.Way), FormID: null(l.Form), EmailMAC: []byte{}, StartedAt: now}
	if l.Way == link.ByPassword {
		row.EmailMAC = l.Subject
	} else {
		row.TicketMAC = l.Subject
	}
	return row
}
