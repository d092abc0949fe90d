package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/views"
	"github.com/garminlink/garminlink/web/messages"
)

// texts are the words that users read, in one language.
type texts struct {
	Link         map[link.Kind]message              `json:"link"`
	Instead      map[link.Kind]string               `json:"instead"` // see answer
	Ways         map[link.Way]map[link.Kind]message `json:"ways"`    // in the place of Link's, where no password was typed
	Guests       map[link.Kind]message              `json:"guests"`  // in the place of Link's, for those whom a host application has sent
	Connect      map[link.ConnectStatus]string      `json:"connect"` // why a connect session leads no further
	Reasons      map[link.Reason]string             `json:"reasons"`
	ShortReasons map[link.Reason]string             `json:"short_reasons"` // for staff
	HeldBack     map[link.Hold]message              `json:"held_back"`     // for staff; {host} is one of Garmin's
	Orders       map[string]string                  `json:"orders"`        // of a list of links
	Timeline     map[string]string                  `json:"timeline"`      // for staff, by source and what happened
	Account      map[string]message                 `json:"account"`
	Scopes       map[account.Scope]string           `json:"scopes"`
	Roles        map[account.Role]string            `json:"roles"`
	Pages        map[int]message                    `json:"pages"`  // by status
	Limits       map[string]message                 `json:"limits"` // by the scope of an allowance, in the place of the page of 429
	Notices      map[notice]string                  `json:"notices"`
	RelinkMail   letter                             `json:"relink_mail"`
	History      history                            `json:"history"`
	PasswordRule string                             `json:"password_rule"`
}

// letter is what staff send with an address, which stands below it.
type letter struct {
	Subject string `json:"subject"`
	Body    string `json:"body"`
}

// history is what the lines of a link's history say. {program} stands for the
// name of one.
type history struct {
	Events  map[link.Event]map[string]string `json:"events"`  // by actor, or any: what the actor has no words of his own for
	Unknown string                           `json:"unknown"` // of an event that a newer version has written
	Program string                           `json:"program"` // one whose name is not known
}

// message says what happened, whose side it is on and what to do next.
type message struct {
	Title  string `json:"title"`
	Text   string `json:"text"`
	Action string `json:"action"`
	Side   string `json:"side"` // views.SideYou, SideGarmin or SideUs
}

// inPlaceOf puts the name of a host into a text that has room for one.
func inPlaceOf(text, host string) string { return strings.ReplaceAll(text, "{host}", host) }

// readTexts reads those of all languages, by tag.
func readTexts() (map[string]*texts, error) {
	all := map[string]*texts{}
	for _, l := range views.Languages {
		file, err := messages.In(l.Tag)
		if err != nil {
			return nil, err
		}
		d := json.NewDecoder(bytes.NewReader(file))
		d.DisallowUnknownFields()
		t := new(texts)
		if err := d.Decode(t); err != nil {
			return nil, fmt.Errorf("web/messages/%s.json: %w", l.Tag, err)
		}
		all[l.Tag] = t
	}
	return all, nil
}
