package views

import "github.com/a-h/templ"

// Tones of badges that show no state of a link.
const (
	toneGood  = "good"
	toneWait  = "wait"
	toneWarn  = "warn"
	toneBad   = "bad"
	toneQuiet = "quiet"
)

func badgeIcon(state string) string {
	switch state {
	case Active, toneGood:
		return "circle-check"
	case MFAPending, toneWait:
		return "clock"
	case ReauthNeeded, toneWarn:
		return "triangle-alert"
	case toneBad:
		return "circle-x"
	default:
		return "circle-dashed"
	}
}

// opens are the attributes of a button that shows a dialog. Browsers before
// 2026 need app.js for it.
func opens(id string) templ.Attributes {
	return templ.Attributes{"type": "button", "command": "show-modal", "commandfor": id}
}
