package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/views"
)

// errCrowded refuses a table that would lack some whom it should have.
var errCrowded = errors.New("web: too many begin with what is searched for")

const occurrencesPerPage = 50

func (s *Server) showSubject(c echo.Context) error {
	v, err := s.subjectView(c)
	if err != nil {
		return err
	}
	v.Notice = s.words(c).Notices[s.takeNotice(c)]
	return s.render(c, http.StatusOK, v)
}

// subjectOf is the user whom the address names.
func subjectOf(c echo.Context) (uuid.UUID, error) {
	id, err := uuid.Parse(c.Param("user"))
	if err != nil {
		return uuid.Nil, echo.ErrNotFound
	}
	return id, nil
}

func (s *Server) subjectView(c echo.Context) (views.SubjectPage, error) {
	id, err := subjectOf(c)
	if err != nil {
		return views.SubjectPage{}, err
	}
	subject, err := s.Links.Subject(c.Request().Context(), id)
	if errors.Is(err, link.ErrNotFound) {
		err = echo.ErrNotFound
	}
	if err != nil {
		return views.SubjectPage{}, err
	}
	v := s.subjectPage(c, subject)
	if v.HeldBack, err = s.heldBack(c); err != nil {
		return v, err
	}
	return v, s.addTimeline(c, &v, subject)
}

func (s *Server) subjectPage(c echo.Context, l link.Subject) views.SubjectPage {
	v := views.SubjectPage{
		Path: subjectPath + l.User.String(), Subject: s.subjectLine(c, l), ID: l.User.String(), FormID: newFormID(),
		Live: l.State.Session == link.Live, Linked: l.State.Session != link.None, Facts: subjectFacts(s.speaking(c), l),
	}
	v.Subject.Reason = s.words(c).ShortReasons[l.Reason]
	if w := l.Challenge; w != nil {
		v.Waiting = waitingWords(s.speaking(c), *w, l.AsOf)
	}
	return v
}

// waitingWords tell of a login that waits for a code.
func waitingWords(ctx context.Context, w link.Waiting, now time.Time) string {
	by := w.Method
	if w.SentTo != "" {
		by += ", " + w.SentTo
	}
	return views.Say(ctx, "Garmin has sent a code ({by}). Tried so far: {n}. It ends {when}.", by, w.Tried, views.At(w.ExpiresAt, now).Ago(ctx))
}

// subjectFacts are those that there are.
func subjectFacts(ctx context.Context, l link.Subject) (facts []views.Fact) {
	text := func(name, text string) {
		if text != "" {
			facts = append(facts, views.Fact{Name: name, Text: text})
		}
	}
	moment := func(name string, at time.Time) {
		if !at.IsZero() {
			facts = append(facts, views.Fact{Name: name, Moment: views.At(at, l.AsOf)})
		}
	}
	text(views.Say(ctx, "E-mail"), l.Email)
	text(views.Say(ctx, "Id in the host application"), l.ExternalID)
	text(views.Say(ctx, "User id"), l.User.String())
	text(views.Say(ctx, "Name at Garmin"), l.GarminName)
	text(views.Say(ctx, "E-mail at Garmin"), l.GarminEmail)
	text(views.Say(ctx, "Region"), l.Region)
	moment(views.Say(ctx, "Linked"), l.CreatedAt)
	moment(views.Say(ctx, "In this state since"), l.Since)
	moment(views.Say(ctx, "Last validated"), l.LastValidated)
	moment(views.Say(ctx, "Access renewed"), l.RefreshedAt)
	moment(views.Say(ctx, "Access ends, unless renewed"), l.ExpiresAt)
	moment(views.Say(ctx, "Next check"), l.NextCheck)
	moment(views.Say(ctx, "Must reconnect before"), l.ReconnectBefore)
	moment(views.Say(ctx, "Garmin refuses since"), l.RefusedSince)
	text(views.Say(ctx, "Last report of a program"), string(l.ReportedOutcome))
	moment(views.Say(ctx, "Reported"), l.ReportedAt)
	return facts
}

// addTimeline adds the page of the timeline that the address names.
func (s *Server) addTimeline(c echo.Context, v *views.SubjectPage, l link.Subject) error {
	before := l.AsOf.Add(time.Minute) // replicas may write while this is read
	if text := c.QueryParam("before"); text != "" {
		var err error
		if before, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return echo.ErrBadRequest
		}
		v.Pager.Start, v.Pager.StartText = v.Path, views.Say(s.speaking(c), "Latest")
	}
	happened, err := s.Links.Timeline(c.Request().Context(), l.User, before, occurrencesPerPage)
	if err != nil {
		return err
	}
	for _, o := range happened {
		v.Timeline = append(v.Timeline, occurrenceView(s.speaking(c), s.words(c), o, l.AsOf))
	}
	if n := len(happened); n >= occurrencesPerPage {
		v.Pager.Next = v.Path + "?before=" + happened[n-1].At.UTC().Format(time.RFC3339Nano)
		v.Pager.NextText = views.Say(s.speaking(c), "Earlier")
	}
	return nil
}

// toSubject leads from where a form went to where it stands.
func (s *Server) toSubject(c echo.Context) error {
	id, err := subjectOf(c)
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, subjectPath+id.String())
}

// staffAct says who of the staff does something, and on whose link.
func staffAct(c echo.Context) (link.Act, error) {
	id, err := subjectOf(c)
	staff, _ := visitorOf(c)
	return link.Act{User: id, By: link.BySupport, Staff: staff.ID, RequestID: idOf(c)}, err
}

func (s *Server) checkSubject(c echo.Context) error {
	return s.actForSubject(c, staffChecked, func(act link.Act) error {
		_, err := s.Links.AskCheck(c.Request().Context(), act)
		return err
	})
}

func (s *Server) cancelForSubject(c echo.Context) error {
	return s.actForSubject(c, staffCancelled, func(act link.Act) error {
		_, err := s.Links.Cancel(c.Request().Context(), act)
		return err
	})
}

func (s *Server) clearSubject(c echo.Context) error {
	if _, err := confirmed(c, "yes"); err != nil {
		return err
	}
	return s.actForSubject(c, staffCleared, func(act link.Act) error {
		return s.Links.Clear(c.Request().Context(), act, entered(c, "why"))
	})
}

func (s *Server) noteSubject(c echo.Context) error {
	return s.actForSubject(c, staffNoted, func(act link.Act) error {
		return s.Links.AddNote(c.Request().Context(), act, entered(c, "note"))
	})
}

func (s *Server) actForSubject(c echo.Context, n notice, do func(link.Act) error) error {
	act, err := staffAct(c)
	if err != nil {
		return err
	}
	err = do(act)
	if errors.Is(err, link.ErrNotFound) {
		return echo.ErrNotFound
	}
	if err != nil {
		return err
	}
	s.Log.InfoContext(c.Request().Context(), "staff acted", "request_id", act.RequestID, "staff", act.Staff, "user", act.User, "what", string(n))
	v, err := s.subjectView(c)
	if err != nil {
		return err
	}
	v.Notice = s.words(c).Notices[n]
	return s.done(c, v.Path, n, func() views.View { return v })
}

func (s *Server) subjectAgain(c echo.Context, a answer) (views.View, error) {
	v, err := s.subjectView(c)
	if err != nil {
		return nil, err
	}
	v.Note, v.Why = entered(c, "note"), entered(c, "why")
	switch clears := strings.HasSuffix(c.Path(), "/clear"); {
	case a.field == "note" && clears:
		v.WhyError = a.Text
	case a.field == "note":
		v.NoteError = a.Text
	default:
		v.Problem = s.problem(c, a)
	}
	return v, nil
}
