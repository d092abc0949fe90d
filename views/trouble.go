package views

import "context"

// Troubles of a link that works, or may work. None of them needs its user.
const (
	TroubleRefused  = "refused"  // Garmin refuses what it handed out, and is not believed yet
	TroubleReported = "reported" // a program says that Garmin refused it
	TroubleLimited  = "limited"  // Garmin has asked for a pause
	TroubleDown     = "down"     // Garmin does not answer
	TroubleLate     = "late"     // our own checks are behind
)

// Trouble says what stands between a link and its next proof, since when, and
// whose side it is on.
type Trouble struct {
	Kind  string
	Since Moment // zero: not known
	Until Moment // when we try again; zero: not known
}

func (t Trouble) side() string {
	if t.Kind == TroubleLate {
		return SideUs
	}
	return SideGarmin
}

func (t Trouble) title(ctx context.Context) string {
	switch t.Kind {
	case TroubleRefused:
		return say(ctx, "Garmin refuses us at the moment")
	case TroubleReported:
		return say(ctx, "A program could not use your link")
	case TroubleLimited:
		return say(ctx, "Garmin has asked us for a pause")
	case TroubleDown:
		return say(ctx, "Garmin does not answer well")
	default:
		return say(ctx, "Our checks are late")
	}
}

func (t Trouble) text(ctx context.Context) string {
	switch t.Kind {
	case TroubleRefused:
		return say(ctx, "That mostly passes. We ask again, and tell you if you have to sign in.")
	case TroubleReported:
		return say(ctx, "Garmin refused it there. We look into it by ourselves.")
	case TroubleLimited:
		return say(ctx, "Your link stays as it is, and is checked again after the pause.")
	case TroubleDown:
		return say(ctx, "Your link stays as it is, and is checked again once Garmin answers.")
	default:
		return say(ctx, "Your link was not checked when it should have been. It may work all the same.")
	}
}
