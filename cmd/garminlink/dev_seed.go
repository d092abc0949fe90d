package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/garminlink/garminlink/internal/dev"
)

// newDevSeed fills the database of the next `garminlink dev`.
func newDevSeed(p process, dir *string) *cobra.Command {
	var links int
	seed := &cobra.Command{
		Use:   "seed",
		Short: "Fill the database of dev with made-up links, to see it at size",
		Long: "Fill the database of dev with made-up links, to see it at size.\n\n" +
			"Their sessions are noise, which no key opens: they can be looked at, and not used. dev must not be running.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return seedDev(cmd.Context(), p, *dir, links) },
	}
	seed.Flags().IntVar(&links, "links", 10_000, "how many links")
	return seed
}

func seedDev(ctx context.Context, p process, dir string, links int) error {
	if links < 1 || links > 10_000_000 {
		return refuse("--links: %d is not between 1 and 10000000", links)
	}
	logging, err := load[Logging](p.environ)
	if err != nil {
		return err
	}
	began := time.Now()
	err = dev.RunSeed(ctx, dev.Options{Dir: dir, Out: p.stdout, Log: logging.logger(p.stderr)}, links)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "Made %d links in %s. `garminlink dev` shows them: sign in as one of its staff, and open /support.\n",
		links, time.Since(began).Round(time.Second))
	return err
}
