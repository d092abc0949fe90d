package views

// Tones of badges that show no state of a link.
const (
	toneGood  = "good"
	toneWait  = "wait"
	toneWarn  = "warn"
	toneBad   = "bad"
	tonePlain = "plain"
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
