package web

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/views"
)

const jobsPath = "/support/jobs"

// Jobs is the control of what keeps links alive, for all replicas.
type Jobs interface {
	Status(ctx context.Context) (JobStatus, error)

	// Pause has workers begin no more checks of links, until Resume.
	Pause(ctx context.Context) error
	Resume(ctx context.Context) error
}

// JobStatus says how the jobs go.
type JobStatus struct {
	PausedAt    time.Time // zero: they are not
	Due         int       // links
	Overdue     time.Duration
	Alive, Dead int // links that were judged lately: see link.BrakeTime
	Workers     []JobWorker
	Counts      []JobCount
}

// JobWorker has taken jobs lately.
type JobWorker struct {
	Name string
	Jobs int
	Ago  time.Duration // since it took the last
	Lead bool
}

// JobCount is how many jobs of a kind are in a state.
type JobCount struct {
	Kind, State string
	Jobs        int
}

func (s *Server) showJobs(c echo.Context) error {
	v, err := s.jobsView(c)
	if err != nil {
		return err
	}
	v.Notice = s.words(c).Notices[s.takeNotice(c)]
	return s.render(c, http.StatusOK, v)
}

func (s *Server) jobsView(c echo.Context) (v views.Jobs, err error) {
	status, err := s.Jobs.Status(c.Request().Context())
	if err != nil {
		return v, err
	}
	ctx, now := s.speaking(c), time.Now()
	v.Paused = views.At(status.PausedAt, now)
	v.Facts = []views.Fact{
		{Name: views.Say(ctx, "Due for a check"), Text: dueWords(ctx, status)},
		{Name: views.Say(ctx, "Judged lately"), Text: views.Say(ctx, "{alive} alive, {dead} dead, in {time}", status.Alive, status.Dead, views.Span(ctx, link.BrakeTime))},
	}
	for _, w := range status.Workers {
		v.Workers = append(v.Workers, views.Worker{Name: w.Name, Jobs: w.Jobs, Seen: views.At(now.Add(-w.Ago), now), Lead: w.Lead})
	}
	for _, n := range status.Counts {
		v.Counts = append(v.Counts, views.JobCount{Kind: n.Kind, State: n.State, Count: n.Jobs})
	}
	v.HeldBack, err = s.heldBack(c)
	return v, err
}

func dueWords(ctx context.Context, s JobStatus) string {
	if s.Due == 0 {
		return views.Say(ctx, "no link")
	}
	return views.SayN(ctx, s.Due, "{n} link, for {time}", "{n} links, the longest for {time}", views.Span(ctx, s.Overdue))
}

func (s *Server) pauseJobs(c echo.Context) error {
	if _, err := confirmed(c, "yes"); err != nil {
		return err
	}
	return s.controlJobs(c, jobsPaused, s.Jobs.Pause)
}

func (s *Server) resumeJobs(c echo.Context) error {
	return s.controlJobs(c, jobsResumed, s.Jobs.Resume)
}

func (s *Server) controlJobs(c echo.Context, n notice, do func(context.Context) error) error {
	ctx := c.Request().Context()
	if err := do(ctx); err != nil {
		return err
	}
	by, _ := visitorOf(c)
	s.Log.InfoContext(ctx, "jobs controlled", "request_id", idOf(c), "by", by.ID, "what", string(n))
	v, err := s.jobsView(c)
	if err != nil {
		return err
	}
	v.Notice = s.words(c).Notices[n]
	return s.done(c, jobsPath, n, func() views.View { return v })
}

func (s *Server) jobsAgain(c echo.Context, a answer) (views.View, error) {
	v, err := s.jobsView(c)
	v.Problem = s.problem(c, a)
	return v, err
}
