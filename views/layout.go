package views

import (
	"context"
	"strings"
)

const staffPrefix = "/support"

func (c Chrome) staff() bool { return c.Role == "support" || c.Role == "admin" }

// wide says that the page is one for staff, who have much to see at once.
func (c Chrome) wide() bool { return strings.HasPrefix(c.path(), staffPrefix) || c.path() == PartsPath }

func (c Chrome) path() string {
	path, _, _ := strings.Cut(c.Here, "?")
	return path
}

// staffLink is one that the staff's links lead to.
type staffLink struct{ path, name string }

func linksOfStaff(ctx context.Context, role string) []staffLink {
	all := []staffLink{
		{staffPrefix, say(ctx, "Overview")},
		{staffPrefix + "/links", say(ctx, "Links")},
		{staffPrefix + "/relink", say(ctx, "Repair a link")},
	}
	if role != "admin" {
		return all
	}
	return append(all,
		staffLink{staffPrefix + "/staff", say(ctx, "Roles")},
		staffLink{staffPrefix + "/tokens", say(ctx, "Service tokens")},
		staffLink{staffPrefix + "/webhooks", say(ctx, "Webhooks")},
		staffLink{staffPrefix + "/keys", say(ctx, "Keys")},
		staffLink{staffPrefix + "/jobs", say(ctx, "Jobs")},
	)
}

func roleName(ctx context.Context, role string) string {
	switch role {
	case "admin":
		return say(ctx, "admin")
	case "support":
		return say(ctx, "support")
	default:
		return say(ctx, "user")
	}
}

// current is the value of aria-current on a page at path: "page" if the link
// leads to it, "true" if it lies below; "" elsewhere.
func (p staffLink) current(path string) string {
	switch {
	case path == p.path:
		return "page"
	case p.path == staffPrefix:
		return ""
	case strings.HasPrefix(path, p.path+"/"), p.path == staffPrefix+"/links" && strings.HasPrefix(path, staffPrefix+"/users/"):
		return "true"
	default:
		return ""
	}
}
