package garmin

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"unicode/utf16"

	"github.com/tidwall/gjson"
)

// object is a JSON object that keeps the order of its members and the very text of their values, so that a session
// string that was read is written again byte for byte, with whatever else another program put into it.
type object []member

type member struct {
	key string
	raw string // JSON; "" for none
}

// maxMembers keeps the search for one that stands twice short; an object of a session has no more than usualMembers.
const (
	maxMembers   = 100
	usualMembers = 12
)

var errNoObject = errors.New("not a JSON object")

// maxNested is how many lists and objects may stand in a session, which has two or three: gjson goes into each by a
// call, and so few bytes would take up a stack of megabytes.
const maxNested = 1000

func valid(b []byte) bool {
	return bytes.Count(b, []byte("["))+bytes.Count(b, []byte("{")) <= maxNested && gjson.ValidBytes(b)
}

// parseObject fails as membersOf does.
func parseObject(b []byte) (object, error) {
	if !valid(b) {
		return nil, errNoObject
	}
	return membersOf(gjson.ParseBytes(b))
}

// membersOf takes an object apart, which must be valid: gjson also reads what is no JSON. It fails on a member that
// stands twice: programs differ in which one they believe.
func membersOf(parsed gjson.Result) (o object, err error) {
	if !parsed.IsObject() {
		return nil, errNoObject
	}
	o = make(object, 0, usualMembers)
	parsed.ForEach(func(key, value gjson.Result) bool {
		switch {
		case len(o) == maxMembers:
			err = errNoObject
		case o.index(key.Str) >= 0:
			err = fmt.Errorf("member %.32q stands twice", key.Str)
		default:
			o = append(o, member{key.Str, value.Raw})
		}
		return err == nil
	})
	return o, err
}

// get returns the JSON of a value, "" when there is none.
func (o object) get(key string) string {
	if i := o.index(key); i >= 0 {
		return o[i].raw
	}
	return ""
}

func (o object) index(key string) int {
	return slices.IndexFunc(o, func(m member) bool { return m.key == key })
}

// text returns a string value, "" for anything else.
func (o object) text(key string) string { return textOf(o.get(key)) }

// seconds returns a positive whole number, 0 for anything else.
func (o object) seconds(key string) int64 { return secondsOf(o.get(key)) }

// with returns a copy in which key has the value: a string, an int64, or nil for null.
func (o object) with(key string, value any) object {
	raw := string(appendPython(nil, value))
	out := slices.Clone(o)
	if i := out.index(key); i >= 0 {
		out[i].raw = raw
		return out
	}
	return append(out, member{key, raw})
}

// without returns a copy that lacks some members.
func (o object) without(keys ...string) object {
	return slices.DeleteFunc(slices.Clone(o), func(m member) bool { return slices.Contains(keys, m.key) })
}

// only returns a copy that has no members but these.
func (o object) only(keys ...string) object {
	return slices.DeleteFunc(slices.Clone(o), func(m member) bool { return !slices.Contains(keys, m.key) })
}

// appendTo writes the object the way Python's json.dumps does.
func (o object) appendTo(b []byte) []byte {
	b = append(b, '{')
	for i, m := range o {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(appendText(b, m.key), ": "...)
		b = append(b, m.raw...)
	}
	return append(b, '}')
}

func appendPython(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case string:
		return appendText(b, v)
	default:
		return fmt.Append(b, v)
	}
}

func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		b = appendPythonRune(b, r)
	}
	return append(b, '"')
}

var pythonEscapes = map[rune]string{
	'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\f': `\f`, '\b': `\b`,
}

// appendPythonRune writes ASCII only, as json.dumps does by default.
func appendPythonRune(b []byte, r rune) []byte {
	if r >= ' ' && r <= 0x7f && r != '"' && r != '\\' {
		return append(b, byte(r))
	}
	switch esc, escaped := pythonEscapes[r]; {
	case escaped:
		return append(b, esc...)
	case r > 0xffff:
		hi, lo := utf16.EncodeRune(r)
		return fmt.Appendf(b, `\u%04x\u%04x`, hi, lo)
	default:
		return fmt.Appendf(b, `\u%04x`, r)
	}
}
