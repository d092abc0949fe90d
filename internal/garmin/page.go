package garmin

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// page is what the widget's pages tell. It is read token by token, so that no nesting and no missing end tag costs
// more than the page's length.
type page struct {
	title  string
	csrf   string            // value of the form's _csrf; empty after a wrong code [R]
	login  bool              // holds a field for a password
	alerts map[string]string // text of the error boxes that are shown, by their id
	vars   map[string]string // variables of the scripts
	ticket string
}

// alertIDs are the boxes of the two forms [R].
var alertIDs = []string{"status", "invalidCode", "genericError", "maxLimit"}

// scriptVars finds the variables that the pages hand to their scripts [R].
var scriptVars = regexp.MustCompile(
	`\bvar\s+(customerGuid|mfaMethod|locale|clientId|codeSentTo|isRecaptchaEnabled)\s*=\s*("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|true|false|null)`)

// ticketParam finds the ticket of an address; the page's own script says that the address may be encoded once more.
var ticketParam = regexp.MustCompile(`(?:\b|%3F|%26)ticket(?:=|%3D)(ST-[A-Za-z0-9._-]{1,500})`)

func readPage(body []byte) *page {
	p := &page{alerts: map[string]string{}, vars: map[string]string{}}
	in := html.NewTokenizer(bytes.NewReader(body))
	for {
		switch in.Next() {
		case html.ErrorToken:
			return p
		case html.StartTagToken, html.SelfClosingTagToken:
			p.readTag(in)
		}
	}
}

func (p *page) readTag(in *html.Tokenizer) {
	tag := in.Token()
	switch tag.Data {
	case "title":
		if p.title == "" {
			p.title = nextText(in)
		}
	case "input":
		p.readInput(tag)
	case "script":
		p.readScript(nextText(in))
	case "div":
		if id, ok := attr(tag, "id"); ok && slices.Contains(alertIDs, id) && shown(tag) {
			p.alerts[id] = nextText(in)
		}
	}
}

func (p *page) readInput(tag html.Token) {
	if name, _ := attr(tag, "name"); name == "_csrf" && p.csrf == "" {
		p.csrf, _ = attr(tag, "value")
	}
	if kind, _ := attr(tag, "type"); kind == "password" {
		p.login = true
	}
}

func (p *page) readScript(script string) {
	for _, m := range scriptVars.FindAllStringSubmatch(script, -1) {
		p.vars[m[1]] = scriptValue(m[2])
	}
	if m := ticketParam.FindStringSubmatch(script); m != nil && p.ticket == "" {
		p.ticket = m[1]
	}
}

// scriptValue reads a string of JavaScript; true is read as "true", null and false as "".
func scriptValue(raw string) string {
	var s string
	switch {
	case raw == "true":
		return raw
	case raw[0] == '\'':
		return strings.ReplaceAll(raw[1:len(raw)-1], `\/`, "/")
	case raw[0] == '"' && json.Unmarshal([]byte(raw), &s) == nil:
		return s
	}
	return ""
}

// nextText is the text between a start tag and whatever comes next.
func nextText(in *html.Tokenizer) string {
	if in.Next() != html.TextToken {
		return ""
	}
	return strings.TrimSpace(in.Token().Data)
}

func attr(tag html.Token, name string) (string, bool) {
	for _, a := range tag.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// shown reports that a box is not hidden; the pages carry all of theirs and hide those that do not apply [R].
func shown(tag html.Token) bool {
	_, hidden := attr(tag, "hidden")
	style, _ := attr(tag, "style")
	return !hidden && !strings.Contains(strings.ReplaceAll(style, " ", ""), "display:none")
}
