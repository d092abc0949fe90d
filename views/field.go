package views

import (
	"maps"

	"github.com/a-h/templ"
)

// input is one labelled field of a form.
type input struct {
	ID           string // also the prefix of its hint's and its error's ids
	Name         string
	Type         string // "" of an area
	Label        string
	Hint         string
	Value        string
	Error        string
	Autocomplete string
	Focus        bool
	More         templ.Attributes
}

// describedBy lists the ids of what a screen reader reads with the field: the
// error first.
func (f input) describedBy() string {
	switch {
	case f.Error != "" && f.Hint != "":
		return f.ID + "-error " + f.ID + "-hint"
	case f.Error != "":
		return f.ID + "-error"
	case f.Hint != "":
		return f.ID + "-hint"
	default:
		return ""
	}
}

// attributes are those of the element that is typed into.
func (f input) attributes() templ.Attributes {
	all := templ.Attributes{
		"id": f.ID, "name": f.Name, "autocomplete": f.Autocomplete, "required": true, "autofocus": f.Focus,
	}
	for key, value := range map[string]string{"type": f.Type, "aria-describedby": f.describedBy()} {
		if value != "" {
			all[key] = value
		}
	}
	if f.Type != "" && f.Value != "" {
		all["value"] = f.Value
	}
	if f.Error != "" {
		all["aria-invalid"] = "true"
	}
	maps.Copy(all, f.More)
	return all
}
