package garmintest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	grantTicket = "https://connectapi.garmin.com/di-oauth2-service/oauth/grant/service_ticket"
	scope       = "CONNECT_READ CONNECT_WRITE"
	usualAccess = 24 * time.Hour
	usualGrant  = 2591999 * time.Second
)

// knownClientIDs are those of Garmin's own apps.
var knownClientIDs = []string{
	"GARMIN_CONNECT_MOBILE_ANDROID_DI_2025Q2",
	"GARMIN_CONNECT_MOBILE_ANDROID_DI_2024Q4",
	"GARMIN_CONNECT_MOBILE_ANDROID_DI",
	"GARMIN_CONNECT_MOBILE_IOS_DI",
}

// ticket is a service ticket: good once, for its service, for two minutes.
type ticket struct {
	account *account
	service string
	since   time.Time
}

func (s *Server) newTicket(acc *account, service string) string {
	id := fmt.Sprintf("ST-%07d-%s-sso", len(s.tickets)+1, rand.Text()[:20])
	s.tickets[id] = &ticket{acc, service, s.now()}
	s.note(id)
	return id
}

func (a ask) form() url.Values {
	form, err := url.ParseQuery(string(a.body))
	if err != nil || a.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		return url.Values{}
	}
	return form
}

// client checks the client id: named in the form, and by itself in the Basic header.
func (s *Server) client(a ask) (string, bool) {
	accepted := s.DIClientIDs
	if accepted == nil {
		accepted = knownClientIDs
	}
	id := a.form().Get("client_id")
	user, password, ok := a.BasicAuth()
	return id, ok && user == id && password == "" && slices.Contains(accepted, id)
}

func (s *Server) exchange(w http.ResponseWriter, a ask) {
	s.mu.Lock()
	defer s.mu.Unlock()
	form := a.form()
	id := form.Get("service_ticket")
	s.note(id)
	t := s.tickets[id]
	clientID, ok := s.client(a)
	if s.limited(w, clientID) {
		return
	}
	if !ok {
		if s.SpendRefusedTickets {
			delete(s.tickets, id)
		}
		writeOAuthError(w, http.StatusUnauthorized, "invalid_client", "Bad client credentials")
		return
	}
	valid := t != nil && form.Get("grant_type") == grantTicket && t.service == form.Get("service_url") &&
		t.account.Region == a.region && s.now().Sub(t.since) <= ticketLife
	if t != nil && t.account.Region == a.region {
		delete(s.tickets, id)
	}
	if !valid {
		writeOAuthError(w, http.StatusBadRequest, "invalid_grant", "Invalid service ticket")
		return
	}
	s.writeTokens(w, t.account, clientID)
}

func (s *Server) refresh(w http.ResponseWriter, a ask) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clientID, ok := s.client(a)
	if !ok {
		writeOAuthError(w, http.StatusUnauthorized, "invalid_client", "Bad client credentials")
		return
	}
	if s.limited(w, clientID) {
		return
	}
	token := a.form().Get("refresh_token")
	s.note(token)
	acc, problem := s.grantOf(token, a.region, clientID)
	if problem != "" {
		writeOAuthError(w, http.StatusBadRequest, "invalid_grant", problem)
		return
	}
	if _, used := s.spent[token]; !used {
		s.spent[token] = s.now()
	}
	s.writeTokens(w, acc, clientID)
}

// grantOf finds the account of a refresh token, or says why there is none.
func (s *Server) grantOf(token, region, clientID string) (*account, string) {
	var in struct {
		Value string `json:"refreshTokenValue"`
		GUID  string `json:"garminGuid"`
	}
	b, err := base64.StdEncoding.DecodeString(token)
	if err != nil || json.Unmarshal(b, &in) != nil {
		return nil, "Invalid refresh token"
	}
	acc := s.accountByGUID(region, in.GUID)
	raw, err := hex.DecodeString(strings.ReplaceAll(in.Value, "-", ""))
	switch used, spent := s.spent[token]; {
	case acc == nil:
		return nil, "User doesn't exist in DB for GarminGUID"
	case err != nil || len(raw) != 16 || !hmac.Equal(raw[8:], s.grantMAC(raw[:8], acc, clientID)):
		return nil, "Invalid refresh token"
	case spent && s.now().Sub(used) >= s.RefreshGrace:
		return nil, "Invalid refresh token"
	case s.now().After(s.grantEnd(raw)):
		return nil, "Refresh token expired"
	}
	return acc, ""
}

func (s *Server) accountByGUID(region, guid string) *account {
	for _, acc := range s.accounts {
		if acc.Region == region && acc.GUID == guid {
			return acc
		}
	}
	return nil
}

func (s *Server) mac(parts ...any) []byte {
	m := hmac.New(sha256.New, s.Key)
	_, _ = fmt.Fprintf(m, "%q", parts)
	return m.Sum(nil)
}
