package web

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/views"
)

const keysPath = "/support/keys"

func (s *Server) showKeys(c echo.Context) error {
	status, err := s.Links.KeyStatus(c.Request().Context())
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, keysView(s.speaking(c), status, time.Now()))
}

func keysView(ctx context.Context, status link.KeyStatus, now time.Time) (v views.Keys) {
	known := map[uint32]bool{status.Sealing: true}
	for _, u := range status.Uses {
		known[u.Key] = true
	}
	for _, r := range status.Replicas {
		for _, key := range r.Keys {
			known[key] = true
		}
		v.Replicas = append(v.Replicas, views.Replica{
			Name: r.String(), Version: r.Version, Seals: keyName(r.SealingKey), Seen: views.At(r.SeenAt, now),
		})
	}
	for _, key := range slices.Sorted(maps.Keys(known)) {
		var needed, lacked []string
		for _, u := range status.UsesOf(key) {
			needed = append(needed, holdingWords(ctx, u.In)+": "+views.Number(ctx, u.Rows))
		}
		for _, r := range status.Lackers(key) {
			lacked = append(lacked, r.String())
		}
		v.List = append(v.List, views.Key{
			ID: keyName(key), Seals: key == status.Sealing, Needed: strings.Join(needed, ", "), Lacked: strings.Join(lacked, ", "),
		})
	}
	return v
}

func keyName(id uint32) string { return strconv.FormatUint(uint64(id), 10) }

func holdingWords(ctx context.Context, in link.Holding) string {
	switch in {
	case link.HeldSession:
		return views.Say(ctx, "sessions")
	case link.HeldPrevious:
		return views.Say(ctx, "previous sessions")
	case link.HeldCandidate:
		return views.Say(ctx, "candidates")
	case link.HeldChallenge:
		return views.Say(ctx, "challenges")
	case link.HeldConsumer:
		return views.Say(ctx, "OAuth1 consumer")
	case link.HeldMACKey:
		return views.Say(ctx, "key of limits")
	case link.HeldWebhookSecret:
		return views.Say(ctx, "webhook secrets")
	case link.HeldFormerWebhookSecret:
		return views.Say(ctx, "former webhook secrets")
	default:
		return string(in)
	}
}
