package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"
)

// tap stands between a program and its database and writes down what the one
// asks of the other.
type tap struct {
	URL string // of the database, by way of the tap

	mu   sync.Mutex
	sent []sentStatement
}

type sentStatement struct {
	sql     string
	formats []int16
	values  [][]byte
}

func newTap(b *testing.B, database string) *tap {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = listener.Close() })
	config, err := pgconn.ParseConfig(database)
	if err != nil {
		b.Fatal(err)
	}
	t := &tap{URL: fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable",
		url.UserPassword(config.User, config.Password), listener.Addr(), config.Database)}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // the benchmark is over
			}
			network, address := pgconn.NetworkAddress(config.Host, config.Port)
			go t.lead(client, network, address)
		}
	}()
	return t
}

func (t *tap) lead(client net.Conn, network, address string) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial(network, address)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	go func() { _, _ = io.Copy(client, server) }()
	t.listen(pgproto3.NewBackend(io.TeeReader(client, server), io.Discard))
}

// listen reads what the program says, until it hangs up.
func (t *tap) listen(program *pgproto3.Backend) {
	if _, err := program.ReceiveStartupMessage(); err != nil {
		return
	}
	if err := program.SetAuthType(pgproto3.AuthTypeOk); err != nil {
		return
	}
	prepared := map[string]string{}
	for {
		message, err := program.Receive()
		if err != nil {
			return
		}
		switch m := message.(type) {
		case *pgproto3.Parse:
			prepared[m.Name] = m.Query
		case *pgproto3.Bind:
			t.note(prepared[m.PreparedStatement], m)
		}
	}
}

func (t *tap) note(sql string, m *pgproto3.Bind) {
	s := sentStatement{sql: sql, formats: append([]int16(nil), m.ParameterFormatCodes...)}
	for _, v := range m.Parameters {
		s.values = append(s.values, append([]byte(nil), v...))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent = append(t.sent, s)
}

// take returns what was asked since the last take.
func (t *tap) take() []sentStatement {
	t.mu.Lock()
	defer t.mu.Unlock()
	sent := t.sent
	t.sent = nil
	return sent
}

// literal is the statement with its values written into it.
func (s sentStatement) literal(ctx context.Context, db *pgx.Conn) (string, error) {
	description, err := db.Prepare(ctx, s.sql, s.sql)
	if err != nil {
		return "", err
	}
	sql := s.sql
	for i := len(s.values) - 1; i >= 0; i-- {
		text, err := s.text(db.TypeMap(), i, description.ParamOIDs[i])
		if err != nil {
			return "", err
		}
		sql = strings.ReplaceAll(sql, fmt.Sprintf("$%d", i+1), text)
	}
	return sql, nil
}

func (s sentStatement) text(types *pgtype.Map, i int, oid uint32) (string, error) {
	kind, known := types.TypeForOID(oid)
	if !known {
		return "", fmt.Errorf("parameter %d has the unknown type %d", i+1, oid)
	}
	format := int16(pgtype.TextFormatCode)
	if len(s.formats) > 0 {
		format = s.formats[min(i, len(s.formats)-1)]
	}
	value, err := kind.Codec.DecodeValue(types, oid, format, s.values[i])
	if err != nil {
		return "", err
	}
	text, err := types.Encode(oid, pgtype.TextFormatCode, value, nil)
	return "'" + strings.ReplaceAll(string(text), "'", "''") + "'::" + kind.Name, err
}
