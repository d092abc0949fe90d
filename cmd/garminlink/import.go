package main

import (
	"cmp"
	"context"
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/garminlink/garminlink/internal/account"
	"github.com/garminlink/garminlink/internal/postgres"
)

// importOptions are the flags of one import.
type importOptions struct {
	as     naming
	report string
	dryRun bool
}

func newImport(p process) *cobra.Command {
	o := importOptions{as: byExternalID}
	command := &cobra.Command{
		Use:   "import DIR|FILE.jsonl",
		Short: "Link many users with the sessions that garth or python-garminconnect has kept for them",
		Long: `Link many users with the sessions that garth or python-garminconnect has kept for them.

In DIR, each sub-folder is one user's store (oauth1_token.json and
oauth2_token.json, or garmin_tokens.json), and each NAME.txt or NAME.json holds
one session; names are those of users. In FILE.jsonl each line is
  {"user": "ext:42", "email": "contact data, if any", "session": "..."}
with a user as the API names him, and a session as text or JSON.

Garmin has to accept each session before it counts. Run it again after a stop,
or when what failed is mended: users with a live link are left as they are, and
so are those who have unlinked here. The source is never changed, but stop the
programs that use it: whoever renews a session ends the other copies of it.`,
		Args: oneSource,
		RunE: func(cmd *cobra.Command, args []string) error { return importAll(cmd.Context(), p, args[0], o) },
	}
	command.Flags().Var(&o.as, "as", "what names in DIR are: ext (ids of the host application), id (ours) or email (to sign in with here)")
	command.Flags().StringVar(&o.report, "report", "", "where to write what failed (default garminlink-import-TIME.jsonl, here)")
	command.Flags().BoolVar(&o.dryRun, "dry-run", false, "read everything and say what would happen, without linking anybody or asking Garmin")
	return command
}

func oneSource(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return errors.New("name one folder or file to import from")
	}
	info, err := os.Stat(args[0])
	if err == nil && !info.IsDir() && cmd.Flags().Changed("as") {
		return errors.New("--as is for folders: in a file, each line names its user")
	}
	return err
}

// importAll imports one source. Its error says how many failed.
func importAll(ctx context.Context, p process, source string, o importOptions) (err error) {
	config, log, err := configure(p)
	if err != nil {
		return err
	}
	batch, err := openBatch(source, o.as)
	if err != nil {
		return err
	}
	defer batch.Close()
	site, leave, err := assemble(ctx, config, parts{}, surroundings{}, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, leave()) }()
	began := time.Now().UTC()
	report := cmp.Or(o.report, reportPrefix+began.Format("20060102T150405Z")+reportSuffix)
	tally, err := newTally(report, len(batch.all), newProgress(p.stderr))
	if err != nil {
		return err
	}
	im := &importer{
		links:       site.links,
		accounts:    account.New(postgres.NewAccounts(site.db), passwordCost),
		hasUnlinked: postgres.NewLinks(site.db).HasUnlinked,
		name:        "import-" + began.Format(time.RFC3339),
		rehearsal:   o.dryRun,
		tally:       tally,
		log:         log,
	}
	return im.finish(ctx, batch.all, p.stdout)
}
