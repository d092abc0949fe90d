package arch

const module = "github.com/garminlink/garminlink"

// arrows lists, for every package, which others of ours it may import
// directly. Adding one here is a decision about the architecture.
var arrows = map[string][]string{
	"cmd/garminlink": everything,
	"cmd/garminsim":  everything,

	"web":     {"internal/link", "internal/account", "internal/notify", "internal/limit", "views", "static", "web/messages"},
	"web/api": {"internal/link", "internal/account", "internal/notify", "internal/limit", "views", "static", "web/messages"},
	"views":   {"static"},
	"static":  nil,

	"web/messages": nil,

	"internal/worker":  {"internal/link", "internal/account", "internal/notify"},
	"internal/link":    {"internal/garmin", "internal/seal", "internal/limit"},
	"internal/notify":  {"internal/link", "internal/seal"},
	"internal/account": nil,
	"internal/garmin":  nil,
	"internal/limit":   nil,
	"internal/seal":    nil,

	"internal/postgres": {"internal/link", "internal/account", "internal/notify", "internal/limit", "migrations"},
	"migrations":        nil,

	"examples/go-worker": nil, // whoever copies them has nothing of ours
	"examples/host-app":  nil,

	"internal/dev":               everything,
	"internal/dev/pgcluster":     nil,
	"internal/garmin/garmintest": {"internal/garmin"},
	"internal/limit/limittest":   {"internal/limit"},
	"internal/limit/redislimit":  {"internal/limit"},
	"internal/limit/redistest":   nil,
	"internal/postgres/pgtest":   {"internal/postgres", "migrations"},
	"internal/arch":              nil,
}

var everything = []string{"*"}

// restriction says where else an import may stand, whatever the arrows say.
type restriction struct {
	imports string   // this package and all below it
	only    []string // folders (with what is below them) or files
	tests   bool     // test files may, anywhere
	reason  string
}

var restrictions = []restriction{
	{
		imports: "gorm.io",
		only:    []string{"internal/postgres", "internal/dev", "cmd"},
		reason:  "how rows are stored is the business of internal/postgres alone",
	}, {
		imports: "github.com/labstack/echo",
		only:    []string{"web"},
		reason:  "only web speaks HTTP to browsers and workers",
	}, {
		imports: "github.com/a-h/templ",
		only:    []string{"views", "web/render.go"},
		reason:  "pages are made in views and rendered in one place",
	}, {
		imports: module + "/internal/garmin/garmintest",
		only:    []string{"internal/garmin/garmintest", "internal/dev", "cmd/garminsim"},
		tests:   true,
		reason:  "the program must never reach a simulated Garmin by mistake",
	}, {
		imports: module + "/internal/postgres/pgtest",
		only:    []string{"internal/postgres/pgtest", "internal/dev"},
		tests:   true,
		reason:  "it is made for tests",
	}, {
		imports: module + "/internal/limit/limittest",
		only:    []string{"internal/limit/limittest"},
		tests:   true,
		reason:  "it is made for tests",
	}, {
		imports: module + "/internal/limit/redistest",
		only:    []string{"internal/limit/redistest"},
		tests:   true,
		reason:  "it is made for tests",
	}, {
		imports: "github.com/wneessen/go-mail",
		only:    []string{"internal/notify"},
		reason:  "mails are written and sent in one place",
	}, {
		imports: "github.com/redis/go-redis",
		only:    []string{"internal/limit"},
		reason:  "Redis keeps rates, and nothing that must not be lost",
	},
}

// pure files import nothing of ours, so that they can be read and tested alone.
var pure = []string{"internal/link/state.go"}

// topFolders are those that the repository may have beside dotfiles.
var topFolders = []string{"cmd", "web", "views", "static", "migrations", "internal", "docs", "deploy", "examples"}

// vague names say the kind of a package and not its subject.
var vague = []string{"util", "utils", "helper", "helpers", "common", "model", "models", "service", "services", "pkg", "misc", "shared"}
