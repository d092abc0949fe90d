package api

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/web/messages"
)

// words are what users may read, of what the pages say.
type words struct {
	Link map[link.Kind]struct{ Text, Action string }
}

func readWords() (w words, err error) {
	file, err := messages.In("en")
	if err != nil {
		return w, err
	}
	if err := json.Unmarshal(file, &w); err != nil {
		return w, fmt.Errorf("web/messages/en.json: %w", err)
	}
	return w, nil
}

// forUser is nil if there is nothing to tell him.
func (w words) forUser(k link.Kind) *string {
	if !slices.Contains(toldUsers, k) {
		return nil
	}
	m := w.Link[k]
	text := m.Text + " " + m.Action
	return &text
}
