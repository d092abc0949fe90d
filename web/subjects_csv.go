package web

import (
	"encoding/csv"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/link"
)

// csvBatch is how many lines are read at a time.
const csvBatch = 1000

var csvHead = []string{
	"user", "email", "external_id", "state", "reason", "region", "garmin_name", "garmin_email", "linked", "since", "last_validated",
	"refreshed", "reconnect_before", "reported", "reported_outcome", "updated",
}

// downloadSubjects sends all that the list shows, in an order that no change
// moves: each user once. Between two batches nothing is held, neither lines nor
// a connection, so that a slow reader is no burden.
func (s *Server) downloadSubjects(c echo.Context) error {
	f, err := findOf(c.QueryParams())
	if err != nil {
		return err
	}
	f.Order, f.Descending, f.After, f.Most = link.ByID, false, link.Spot{}, csvBatch
	found, err := s.Links.Search(c.Request().Context(), f)
	if err != nil {
		return err
	}
	if found.Crowded {
		return errCrowded // the list would lack some, and nobody would see
	}
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, "text/csv; charset=utf-8")
	h.Set(echo.HeaderContentDisposition, `attachment; filename="links.csv"`)
	c.Response().WriteHeader(http.StatusOK)
	out := stream{c.Response(), http.NewResponseController(c.Response())}
	w := csv.NewWriter(out.w)
	w.UseCRLF = true // RFC 4180
	if err := w.Write(csvHead); err != nil {
		return err
	}
	if err := s.writeSubjects(c, f, found.Subjects, w, out); err != nil {
		s.Log.WarnContext(c.Request().Context(), "a download broke off", "request_id", idOf(c), "error", err)
		panic(http.ErrAbortHandler) // or half a file would pass for a whole one
	}
	return nil
}

func (s *Server) writeSubjects(c echo.Context, f link.Find, batch []link.Subject, w *csv.Writer, out stream) error {
	for {
		for _, l := range batch {
			if err := w.Write(csvLine(l)); err != nil {
				return err
			}
		}
		w.Flush()
		if err := w.Error(); err != nil {
			return err
		}
		if err := out.control.Flush(); err != nil || len(batch) < csvBatch {
			return err
		}
		out.extend()
		f.After = batch[len(batch)-1].Spot(f.Order)
		found, err := s.Links.Search(c.Request().Context(), f)
		if err != nil {
			return err
		}
		batch = found.Subjects
	}
}

func csvLine(l link.Subject) []string {
	line := []string{
		l.User.String(), l.Email, l.ExternalID, l.State.String(), string(l.Reason), l.Region, l.GarminName, l.GarminEmail,
		csvTime(l.CreatedAt), csvTime(l.Since), csvTime(l.LastValidated), csvTime(l.RefreshedAt), csvTime(l.ReconnectBefore),
		csvTime(l.ReportedAt), string(l.ReportedOutcome), csvTime(l.UpdatedAt),
	}
	for i, cell := range line {
		line[i] = harmless(cell)
	}
	return line
}

func csvTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// harmless keeps a spreadsheet from taking a name that somebody gave himself for
// a formula (OWASP, CSV injection).
func harmless(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
