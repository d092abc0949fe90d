package garmin

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"unicode"

	"github.com/tidwall/gjson"
)

// maxSessionString bounds what is read as a session, in bytes; real ones have about 1,600 to 8,000, most of them less
// than usualSession.
const (
	maxSessionString = 64 << 10
	usualSession     = 4 << 10
)

// Format is a form in which other programs keep a session.
type Format string

// The formats.
const (
	FormatGarth         Format = "garth"         // what garth's dumps writes: base64 of [oauth1, oauth2]
	FormatGarthFiles    Format = "garth_files"   // what its dump writes: oauth1_token.json and oauth2_token.json
	FormatGarminconnect Format = "garminconnect" // what python-garminconnect writes: garmin_tokens.json
)

// ParseAny reads a session in any of the formats and says which it was. The text may be wrapped in white space and
// quotes, base64 may be broken into lines. The contents of garth's two files may follow one another in either order,
// or stand in a list or an object together. Members that are not known are kept.
//
// Its errors are InputErrors; whether the session still lives is for CheckLife and Garmin to say.
func ParseAny(text string) (*Session, Format, error) {
	if len(text) > maxSessionString {
		return nil, "", &InputError{FaultTooLong}
	}
	text = strings.Trim(strings.TrimPrefix(strings.TrimSpace(text), "\ufeff"), " \t\r\n\"'")
	switch {
	case text == "":
		return nil, "", &InputError{FaultEmpty}
	case text[0] == '{', text[0] == '[':
		return parseJSON([]byte(text))
	}
	s, err := ParseSession([]byte(strings.Join(strings.FieldsFunc(text, unicode.IsSpace), "")))
	return s, FormatGarth, err
}

// ParseSession reads what garth's dumps writes: base64 of the JSON list [oauth1, oauth2]. Members that it does not
// know are kept. Its errors are InputErrors.
func ParseSession(garthDumps []byte) (*Session, error) {
	if len(garthDumps) > maxSessionString {
		return nil, &InputError{FaultTooLong}
	}
	b, err := base64.StdEncoding.AppendDecode(make([]byte, 0, usualSession), bytes.TrimSpace(garthDumps))
	if err != nil {
		return nil, &InputError{FaultNotBase64}
	}
	var parts []gjson.Result
	if valid(b) {
		parts = gjson.ParseBytes(b).Array()
	}
	if len(parts) != 2 {
		return nil, &InputError{FaultNotSession}
	}
	oauth1, err1 := membersOf(parts[0])
	oauth2, err2 := membersOf(parts[1])
	if err1 != nil || err2 != nil {
		return nil, &InputError{FaultNotSession}
	}
	return makeSession(oauth1, oauth2)
}

// Dumps gives the string that garth's loads takes, all tokens in the clear: seal it at once.
func (s *Session) Dumps() string {
	b := make([]byte, 0, usualSession)
	b = s.oauth1.appendTo(append(b, '['))
	b = s.oauth2.appendTo(append(b, ", "...))
	return base64.StdEncoding.EncodeToString(append(b, ']'))
}

// Stripped returns the session without all that could renew it, for a program that may use it until it ends and no
// longer. Members that are not known go, too: nobody can tell what they would open.
func (s *Session) Stripped() *Session {
	oauth1 := s.oauth1.only(oauth1Keys...).with(keyToken, "").with(keySecret, "").with(keyMFA, nil)
	oauth2 := s.oauth2.only(oauth2Keys...).with(keyRefresh, "")
	return &Session{region: s.region, oauth1: oauth1, oauth2: oauth2}
}

// parseJSON recognises the formats that are JSON by the members of their objects.
func parseJSON(text []byte) (*Session, Format, error) {
	objects, ok := tokenObjects(text)
	if !ok {
		return nil, "", &InputError{FaultNotSession}
	}
	if len(objects) == 1 && objects[0].get(keyDIToken) != "" {
		s, err := parseGarminconnect(objects[0])
		return s, FormatGarminconnect, err
	}
	var oauth1, oauth2 object
	for _, o := range objects {
		switch {
		case o.get(keyToken) != "" && oauth1 == nil:
			oauth1 = o
		case o.get(keyAccess) != "" && oauth2 == nil:
			oauth2 = o
		default:
			return nil, "", &InputError{FaultNotSession}
		}
	}
	if oauth1 == nil || oauth2 == nil {
		return nil, FormatGarthFiles, &InputError{FaultHalf}
	}
	s, err := makeSession(oauth1, oauth2)
	return s, FormatGarthFiles, err
}

// tokenObjects finds the one or two objects that hold tokens: one after another, or inside a list or an object.
func tokenObjects(text []byte) ([]object, bool) {
	var found []object
	for dec := json.NewDecoder(bytes.NewReader(text)); dec.More(); {
		var raw json.RawMessage
		if dec.Decode(&raw) != nil {
			return nil, false
		}
		inside, ok := unwrap(raw)
		if found = append(found, inside...); !ok || len(found) > 2 {
			return nil, false
		}
	}
	return found, len(found) > 0
}

// unwrap gives the object itself when it holds a token, else the objects inside it.
func unwrap(raw json.RawMessage) ([]object, bool) {
	var parts []json.RawMessage
	if o, err := parseObject(raw); err == nil {
		if o.get(keyToken) != "" || o.get(keyAccess) != "" || o.get(keyDIToken) != "" {
			return []object{o}, true
		}
		for _, m := range o {
			parts = append(parts, json.RawMessage(m.raw))
		}
	} else if json.Unmarshal(raw, &parts) != nil {
		return nil, false
	}
	var inside []object
	for _, part := range parts {
		o, err := parseObject(part)
		if err != nil || len(inside) == 2 {
			return nil, false
		}
		inside = append(inside, o)
	}
	return inside, true
}
