package garmin

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/tidwall/gjson"
)

// object is a JSON object that keeps the order of its members and the very text of their values, so that a session
// string that was read is written again byte for byte, with whatever else another program put into it.
type object []member

type member struct {
	key string
	raw json.RawMessage
}

// maxMembers keeps the search for one that stands twice short; sessions have fewer than twenty in all.
const maxMembers = 100

var errNoObject = errors.New("not a JSON object")

// parseObject fails on a member that stands twice: programs differ in which one they believe.
func parseObject(b []byte) (o object, err error) {
	parsed := gjson.ParseBytes(b)
	if !json.Valid(b) || !parsed.IsObject() { // gjson alone reads what is no JSON
		return nil, errNoObject
	}
	parsed.ForEach(func(key, value gjson.Result) bool {
		switch {
		case len(o) == maxMembers:
			err = errNoObject
		case o.index(key.Str) >= 0:
			err = fmt.Errorf("member %.32q stands twice", key.Str)
		default:
			o = append(o, member{key.Str, json.RawMessage(value.Raw)})
		}
		return err == nil
	})
	return o, err
}

// get returns the text of a value, nil when there is none.
func (o object) get(key string) json.RawMessage {
	if i := o.index(key); i >= 0 {
		return o[i].raw
	}
	return nil
}

func (o object) index(key string) int {
	return slices.IndexFunc(o, func(m member) bool { return m.key == key })
}

// text returns a string value, "" for anything else.
func (o object) text(key string) string { return fields{key: o.get(key)}.text(key) }

// seconds returns a positive whole number, 0 for anything else.
func (o object) seconds(key string) int64 { return fields{key: o.get(key)}.seconds(key) }

// with returns a copy in which key has the value: a string, an int64, or nil for null.
func (o object) with(key string, value any) object {
	raw := json.RawMessage(pythonValue(value))
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

// write appends the object the way Python's json.dumps does.
func (o object) write(b *strings.Builder) {
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(pythonValue(m.key))
		b.WriteString(": ")
		b.Write(m.raw)
	}
	b.WriteByte('}')
}

func pythonValue(v any) string {
	if v == nil {
		return "null"
	}
	s, ok := v.(string)
	if !ok {
		return fmt.Sprint(v)
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		writePythonRune(&b, r)
	}
	b.WriteByte('"')
	return b.String()
}

var pythonEscapes = map[rune]string{
	'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\f': `\f`, '\b': `\b`,
}

// writePythonRune writes ASCII only, as json.dumps does by default.
func writePythonRune(b *strings.Builder, r rune) {
	if esc, ok := pythonEscapes[r]; ok {
		b.WriteString(esc)
		return
	}
	switch {
	case r >= ' ' && r <= '~', r == 0x7f:
		b.WriteRune(r)
	case r > 0xffff:
		hi, lo := utf16.EncodeRune(r)
		fmt.Fprintf(b, `\u%04x\u%04x`, hi, lo)
	default:
		fmt.Fprintf(b, `\u%04x`, r)
	}
}
