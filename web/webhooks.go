package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/notify"
	"github.com/garminlink/garminlink/views"
)

const (
	webhooksPath = "/support/webhooks"
	shownLog     = 100 // deliveries
)

// errNotTaken says that an attempt was made and came to nothing.
var errNotTaken = errors.New("web: the receiver did not take it")

func (s *Server) showWebhooks(c echo.Context) error {
	v, err := s.webhooksView(c)
	if err != nil {
		return err
	}
	v.Notice = s.words(c).Notices[s.takeNotice(c)]
	return s.render(c, http.StatusOK, v)
}

func (s *Server) webhooksView(c echo.Context) (views.Webhooks, error) {
	ctx, now := c.Request().Context(), time.Now()
	v := views.Webhooks{Failed: c.QueryParam("failed") == "yes", Most: shownLog}
	endpoints, err := s.Webhooks.Store.Endpoints(ctx)
	if err != nil {
		return v, err
	}
	hosts := map[uuid.UUID]string{}
	for _, e := range endpoints {
		hosts[e.ID] = withoutPath(e.URL)
		v.Endpoints = append(v.Endpoints, endpointView(s.speaking(c), e, now))
	}
	log, err := s.Webhooks.Store.Log(ctx, notify.Query{Failed: v.Failed, Most: shownLog})
	for _, l := range log {
		v.Log = append(v.Log, deliveryView(s.speaking(c), l, hosts[l.Endpoint], now))
	}
	return v, err
}

func endpointView(ctx context.Context, e notify.Endpoint, now time.Time) views.Endpoint {
	v := views.Endpoint{
		URL: withoutPath(e.URL), Events: notify.AllEvents, Waiting: e.Waiting, Standing: views.Say(ctx, "enabled"),
		Disabled: !e.DisabledAt.IsZero(), LastSuccess: views.At(e.LastSuccess, now), FailingSince: views.At(e.FailingSince, now),
	}
	if len(e.Events) > 0 {
		var names []string
		for _, t := range e.Events {
			names = append(names, string(t))
		}
		v.Events = strings.Join(names, ", ")
	}
	switch {
	case e.Disabled == notify.ByGone:
		v.Standing = views.Say(ctx, "disabled: it answered 410 Gone")
	case !e.DisabledAt.IsZero():
		v.Standing = views.Say(ctx, "disabled")
	case !e.PausedUntil.IsZero():
		v.Standing = views.Say(ctx, "asks for a pause, which ends {when}", views.At(e.PausedUntil, now).Ago(ctx))
	case !e.FormerUntil.IsZero():
		v.Standing = views.Say(ctx, "enabled, with two secrets")
	}
	return v
}

// withoutPath leaves out what a receiver may keep to itself in the path of its
// address.
func withoutPath(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

func deliveryView(ctx context.Context, l notify.Logged, host string, now time.Time) views.Delivery {
	v := views.Delivery{
		ID: l.ID.String(), Type: string(l.Type), URL: host, State: string(l.State), At: views.At(l.CreatedAt, now), Next: views.At(l.NextAt, now),
	}
	if l.User != uuid.Nil {
		v.UserHref = subjectPath + l.User.String()
	}
	for _, a := range l.Attempts {
		v.Attempts = append(v.Attempts, views.At(a.At, now).Absolute(ctx)+": "+attemptWords(ctx, a))
	}
	return v
}

func attemptWords(ctx context.Context, a notify.Attempt) string {
	took := a.Took.Round(time.Millisecond)
	switch {
	case !a.Ended:
		return views.Say(ctx, "under way, or its process has died")
	case a.Error != "":
		return a.Error + " (" + took.String() + ")"
	default:
		return views.Say(ctx, "answered {status} ({took})", strconv.Itoa(a.Status), took)
	}
}

// resendDelivery makes one more attempt at once, and waits for what comes of it.
func (s *Server) resendDelivery(c echo.Context) error {
	id, err := uuid.Parse(entered(c, "delivery"))
	if err != nil {
		return notify.ErrNotFound
	}
	ctx := c.Request().Context()
	came, err := s.Webhooks.Resend(ctx, id)
	if err != nil {
		return err
	}
	by, _ := visitorOf(c)
	s.Log.InfoContext(ctx, "webhook sent again", "request_id", idOf(c), "by", by.ID, "delivery", id, "status", came.Status)
	if came.Error != "" {
		return errNotTaken
	}
	v, err := s.webhooksView(c)
	if err != nil {
		return err
	}
	v.Notice = s.words(c).Notices[webhookResent]
	return s.done(c, webhooksPath, webhookResent, func() views.View { return v })
}

func (s *Server) webhooksAgain(c echo.Context, a answer) (views.View, error) {
	v, err := s.webhooksView(c)
	v.Problem = s.problem(c, a)
	return v, err
}
