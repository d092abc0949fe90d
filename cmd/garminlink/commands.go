package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newRoot(p process) *cobra.Command {
	root := &cobra.Command{
		Use:               "garminlink",
		Short:             "Link Garmin accounts in the browser, and keep their sessions",
		Long:              "Link Garmin accounts in the browser, and keep their sessions.\n\nThe configuration comes from the environment; see README.md.",
		Args:              cobra.NoArgs,
		RunE:              showHelp,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.SetArgs(p.args)
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.AddCommand(newServe(p), newWorker(p), newJobs(p), newMigrate(p), newKeys(p), newWebhook(p), newSetUpToken(p), newUser(p), newToken(p), newImport(p), newDev(p), newVersion(), newHealthcheck(p))
	return root
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), version())
			return err
		},
	}
}

// version is what the Go toolchain recorded: the module's version for a
// released build, else the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return fmt.Sprintf("garminlink %s (%s)", info.Main.Version, info.GoVersion)
}
