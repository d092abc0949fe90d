package web

import (
	"errors"
	"net/http"
	"strconv"
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
		Path: subjectPath + l.User.String(), Subject: s.subjectLine(c, l), ID: l.User.String(), FormID: uuid.NewString(),
		Live: l.State.Session == link.Live, Linked: l.State.Session != link.None, Facts: subjectFacts(l),
	}
	v.Subject.Reason = s.words(c).ShortReasons[l.Reason]
	if w := l.Challenge; w != nil {
		v.Waiting = "Garmin has sent a code by " + w.Method
		if w.SentTo != "" {
			v.Waiting += " to " + w.SentTo
		}
		v.Waiting += "; tried so far: " + strconv.Itoa(w.Tried) + ". It ends " + views.At(w.ExpiresAt, l.AsOf).Ago(s.speaking(c)) + "."
	}
	return v
}

// subjectFacts are those that there are.
func subjectFacts(l link.Subject) (facts []views.Fact) {
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
	text("E-mail", l.Email)
	text("Id in the host application", l.ExternalID)
	text("User id", l.User.String())
	text("Name at Garmin", l.GarminName)
	text("E-mail at Garmin", l.GarminEmail)
	text("Region", l.Region)
	moment("Linked", l.CreatedAt)
	moment("In this state since", l.Since)
	moment("Last validated", l.LastValidated)
	moment("Access renewed", l.RefreshedAt)
	moment("Access ends, unless renewed", l.ExpiresAt)
	moment("Next check", l.NextCheck)
	moment("Must reconnect before", l.ReconnectBefore)
	moment("Garmin refuses since", l.RefusedSince)
	text("Last report of a program", string(l.ReportedOutcome))
	moment("Reported", l.ReportedAt)
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
		v.Pager.Start, v.Pager.StartText = v.Path, "Latest"
	}
	happened, err := s.Links.Timeline(c.Request().Context(), l.User, before, occurrencesPerPage)
	if err != nil {
		return err
	}
	for _, o := range happened {
		v.Timeline = append(v.Timeline, occurrenceView(s.words(c), o, l.AsOf))
	}
	if n := len(happened); n >= occurrencesPerPage {
		v.Pager.Next = v.Path + "?before=" + happened[n-1].At.UTC().Format(time.RFC3339Nano)
		v.Pager.NextText = "Earlier"
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
