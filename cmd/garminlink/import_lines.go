package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/link"
)

// line is one line of a file: whose session it is, and the session, as a text
// or as the JSON that the other program keeps.
type line struct {
	User    string         `json:"user"`
	Email   string         `json:"email"`
	Session jsontext.Value `json:"session"`
}

// openLines finds a newcomer in each line that is not empty. It remembers where
// the lines stand, and not what stands there.
func openLines(name string) (*batch, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	b := &batch{Closer: file}
	r := bufio.NewReaderSize(file, maxLine)
	for number, at := 1, int64(0); ; number++ {
		text, length, err := nextLine(r)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, errors.Join(err, file.Close())
		}
		place := fmt.Sprintf("%s:%d", name, number)
		switch {
		case length > maxLine:
			b.all = append(b.all, newcomer{place: place, fault: mishap{invalidLine, fmt.Sprintf("longer than %d bytes: one user's JSON is needed on each line", maxLine)}})
		case len(bytes.TrimSpace(text)) > 0:
			b.all = append(b.all, fromLine(file, place, at, text))
		}
		if err != nil {
			return b, nil
		}
		at += length
	}
}

// maxLine leaves room for a session whose every character is escaped.
const maxLine = 4 * maxSession

// nextLine reads one line. Of one that is longer than the reader's buffer it
// returns the length alone. The text is good until the next call.
func nextLine(r *bufio.Reader) (text []byte, length int64, err error) {
	text, err = r.ReadSlice('\n')
	length = int64(len(text))
	for errors.Is(err, bufio.ErrBufferFull) {
		var more []byte
		more, err = r.ReadSlice('\n')
		length += int64(len(more))
	}
	return text, length, err
}

func fromLine(file io.ReaderAt, place string, at int64, text []byte) newcomer {
	n := newcomer{place: place}
	l, err := parseLine(text)
	if err != nil {
		n.fault = err
		return n
	}
	length := len(text)
	n.contact = l.Email
	n.session = func() (link.Secret, error) { return readSession(file, at, length) }
	ref, err := account.ParseUserRef(l.User)
	if err != nil {
		n.fault = mishap{invalidUser, err.Error()}
	}
	if _, err := account.NormalEmail(l.Email); err != nil && l.Email != "" {
		n.fault = mishap{invalidLine, "the email is no e-mail address"}
	}
	n.who = who{ref: ref}
	return n
}

// parseLine quotes nothing of the text: a session stands in it. A name that
// stands there twice, or in another case, would leave open whose session it is.
func parseLine(text []byte) (line, error) {
	var l line
	if json.Unmarshal(bytes.TrimPrefix(text, []byte("\ufeff")), &l, json.RejectUnknownMembers(true)) != nil {
		return line{}, mishap{invalidLine, `not of the form {"user": "ext:42", "session": "..."}, with each name once`}
	}
	return l, nil
}

// readSession reads the session of a line anew.
func readSession(file io.ReaderAt, at int64, length int) (link.Secret, error) {
	text := make([]byte, length)
	if _, err := file.ReadAt(text, at); err != nil {
		return "", mishap{unreadable, err.Error()}
	}
	l, err := parseLine(text)
	if err != nil {
		return "", err
	}
	var quoted string
	if json.Unmarshal(l.Session, &quoted) == nil {
		return link.Secret(quoted), nil
	}
	return link.Secret(l.Session), nil
}
