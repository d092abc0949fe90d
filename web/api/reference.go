package api

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/static"
)

//go:embed openapi.yaml
var spec []byte

// reference is made of openapi.yaml: see reference_test.go.
//
//go:embed reference.html
var reference string

func showSpec(c echo.Context) error { return c.Blob(http.StatusOK, "application/yaml", spec) }

func (a *API) showReference(c echo.Context) error { return c.HTMLBlob(http.StatusOK, a.reference) }

func readReference() ([]byte, error) {
	page, err := template.New("reference").Parse(reference)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	err = page.Execute(&text, struct{ Style string }{static.Path("app.css")})
	return text.Bytes(), err
}
