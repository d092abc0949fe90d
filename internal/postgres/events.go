package postgres

import (
	"cmp"
	"encoding/json"
	"strconv"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/garminlink/garminlink/internal/link"
)

// entriesTime is how long who holds the lock of all events may say nothing.
const entriesTime = "10s"

// writeEntries is the last of a transaction: who has an id of an event holds
// the lock of all until he has committed, so that ids stand in the order in
// which events can be read, and who has read up to one has missed none. A holder
// that falls silent, frozen or cut off, keeps all others from writing for entriesTime
// at most, and not until the database finds its connection dead after hours.
func writeEntries(tx *gorm.DB, act link.Act, r link.Record) error {
	if len(r.Entries) == 0 {
		return nil
	}
	rows := make([]eventRow, len(r.Entries))
	for i, e := range r.Entries {
		rows[i] = eventOf(act, r, e)
	}
	err := tx.Exec(`SELECT set_config('idle_in_transaction_session_timeout', ?, true),
		pg_advisory_xact_lock('link_events'::regclass::oid::bigint)`, entriesTime).Error
	if err != nil {
		return err
	}
	if err := tx.Create(&rows).Error; err != nil {
		return err
	}
	if err := tell(tx, rows); err != nil {
		return err
	}
	return tellChange(tx, act.User)
}

func eventOf(act link.Act, r link.Record, e link.Entry) eventRow {
	row := eventRow{
		UserID: act.User, Event: string(e.Event), FromState: e.From.String(), ToState: e.To.String(),
		Reason: null(string(e.Reason)), Actor: string(cmp.Or(e.By, act.By)), RequestID: act.RequestID, CreatedAt: r.Now,
		Type: null(string(e.Type())), EndsAt: null(e.EndsAt), Note: null(e.Note),
	}
	if e.By == "" {
		row.TokenID, row.StaffID = null(act.Token), null(act.Staff)
	}
	return row
}

// told is what programs beside the database learn of an event at once. It is
// the same as in the feed, where they find the rest.
type told struct {
	ID   string    `json:"id"`
	Type string    `json:"type"`
	User uuid.UUID `json:"user"`
}

// tell notifies, on commit, of the events that the world is told of.
func tell(tx *gorm.DB, rows []eventRow) error {
	for _, row := range rows {
		if row.Type == nil {
			continue
		}
		payload, err := json.Marshal(told{strconv.FormatInt(row.ID, 10), *row.Type, row.UserID})
		if err != nil {
			return err
		}
		if err := tx.Exec("SELECT pg_notify("+eventsChannel+", ?)", string(payload)).Error; err != nil {
			return err
		}
	}
	return nil
}
