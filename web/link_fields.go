package web

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/link"
)

// challengeID is the challenge that the form was drawn for; a form that names
// none means whichever is pending.
func challengeID(c echo.Context) (uuid.UUID, error) {
	text := entered(c, "challenge")
	if text == "" {
		return uuid.Nil, nil
	}
	id, err := uuid.Parse(text)
	if err != nil {
		return uuid.Nil, &link.Error{Kind: link.NoChallenge}
	}
	return id, nil
}

// newFormID names a form. What the form makes may keep the name.
func newFormID() string { return uuid.Must(uuid.NewV7()).String() }

// formID is the form itself; one that has no name is like no other.
func formID(c echo.Context) uuid.UUID {
	id, _ := uuid.Parse(entered(c, "attempt"))
	return id
}

// candidateID is the candidate that the form asked about; a form that names
// none means whichever waits.
func candidateID(c echo.Context) (int64, error) {
	text := entered(c, "candidate")
	if text == "" {
		return 0, nil
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, &link.Error{Kind: link.NoCandidate}
	}
	return id, nil
}

// confirmed reads the answer to a question: one of those allowed, or no answer
// at all.
func confirmed(c echo.Context, allowed ...string) (yes bool, err error) {
	answer := entered(c, "confirm")
	if !slices.Contains(allowed, answer) {
		return false, echo.NewHTTPError(http.StatusUnprocessableEntity)
	}
	return answer == "yes", nil
}
