// Package pgcluster runs a private PostgreSQL server as a child of this
// process, for `garminlink dev` and for the tests.
//
// It owns the server's binaries, account, folder, life and death. It does not
// know what is stored there. The server listens on a Unix socket in a folder
// that only its own account may enter, never on the network, so that no other
// user of the machine can reach it.
package pgcluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
)

// superuser is the role that initdb creates.
const superuser = "postgres"

// Config says which cluster to run.
type Config struct {
	// Dir is the cluster's home and is made if missing. A home that the server
	// cannot use is replaced by one elsewhere, and Out says so.
	Dir string
	// Throwaway trades safety for speed: what is stored is lost when the
	// machine fails, and erased by Stop.
	Throwaway bool
	// Out is told what takes long or is not as asked.
	Out io.Writer
}

// Cluster is a running server.
type Cluster struct {
	config   Config
	home     home
	binaries binaries
	guard    *os.File // locked while this process owns the home
	server   *server
}

// Start returns a server that accepts connections. It first ends a server
// that an earlier process left behind in the same home. The error is
// ErrRunning when a living process owns the home.
func Start(ctx context.Context, config Config) (_ *Cluster, err error) {
	installed, err := findOrInstall(ctx, config.Out)
	if err != nil {
		return nil, err
	}
	c := &Cluster{config: config}
	if c.home, err = settle(config.Dir, config.Out); err != nil {
		return nil, err
	}
	if c.guard, err = c.home.claim(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.guard.Close())
		}
	}()
	if c.binaries, err = installed.match(c.home.data()); err != nil {
		return nil, err
	}
	return c, c.boot(ctx)
}

// boot brings the server up in a home that this process has claimed.
func (c *Cluster) boot(ctx context.Context) error {
	leash, err := c.home.endOrphan()
	if err != nil {
		return err
	}
	defer leash.Close() // the server has inherited it, and then holds it alone
	if err := c.home.clean(); err != nil {
		return err
	}
	if err := c.initialise(ctx, leash); err != nil {
		return err
	}
	// Not with ctx: Stop decides when and how the server ends.
	c.server = newServer(c.command(context.WithoutCancel(ctx), leash, "postgres", c.settings()...))
	if err := c.server.start(c.home.log()); err != nil {
		return err
	}
	if err := c.server.awaitReady(ctx, c.URL()); err != nil {
		return errors.Join(err, c.server.stop(true), c.home.logTail())
	}
	return nil
}

// URL is the address of the database `postgres`, for its superuser.
func (c *Cluster) URL() string {
	query := url.Values{"host": {c.home.sockets()}, "sslmode": {"disable"}}
	return fmt.Sprintf("postgres://%s@:%s/postgres?%s", superuser, port, query.Encode())
}

// Home is the folder that the cluster uses, which may differ from Config.Dir.
func (c *Cluster) Home() string { return c.home.dir }

// BinDir is the folder of the server's programs, pg_dump among them.
func (c *Cluster) BinDir() string { return c.binaries.dir }

// Done is closed when the server has ended, for whatever reason.
func (c *Cluster) Done() <-chan struct{} { return c.server.done }

// Stop ends the server and gives up the home. It is safe to call twice.
func (c *Cluster) Stop() error {
	err := c.server.stop(c.config.Throwaway)
	if c.config.Throwaway {
		err = errors.Join(err, os.RemoveAll(c.home.dir))
	}
	if closing := c.guard.Close(); !errors.Is(closing, os.ErrClosed) {
		err = errors.Join(err, closing)
	}
	return err
}

// initialise makes the data folder under another name first, so that one
// which was interrupted is never taken for a whole one.
func (c *Cluster) initialise(ctx context.Context, leash *os.File) error {
	if _, err := os.Stat(c.home.data()); err == nil {
		return nil
	}
	fresh := filepath.Join(c.home.dir, "data.new")
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	args := []string{"-D", fresh, "-U", superuser, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions"}
	if c.config.Throwaway {
		args = append(args, "--no-sync")
	}
	runtime.LockOSThread() // see server.start
	defer runtime.UnlockOSThread()
	if out, err := c.command(ctx, leash, "initdb", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("initdb in %s: %w\n%s", fresh, err, out)
	}
	return os.Rename(fresh, c.home.data())
}

func (c *Cluster) settings() []string {
	args := []string{
		"-D", c.home.data(),
		"-p", port,
		"-c", "listen_addresses=",
		"-c", "unix_socket_directories=../" + socketFolder, // seen from the data folder
		"-c", "unix_socket_permissions=0700",
		"-c", "logging_collector=off",
		"-c", "timezone=UTC",
	}
	if !c.config.Throwaway {
		return args
	}
	return append(args,
		"-c", "fsync=off",
		"-c", "synchronous_commit=off",
		"-c", "full_page_writes=off",
		"-c", "wal_level=minimal",
		"-c", "max_wal_senders=0",
		"-c", "max_connections=300",
	)
}
