package pgcluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// account is who the server runs as. The zero value is ourselves; PostgreSQL
// refuses to run as root, so root runs it as another.
type account struct {
	name       string
	credential *syscall.Credential
}

// accountFor picks the account for a home: whom it belongs to already, else
// the system user that packages make for PostgreSQL, else nobody.
func accountFor(dir string) (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	if owner, err := ownerOf(dir); err != nil || owner.credential.Uid != 0 {
		return owner, err
	}
	for _, name := range []string{"postgres", "_postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			return accountOf(u)
		}
	}
	return account{}, errors.New("PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`")
}

func ownerOf(dir string) (account, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return account{}, err
	}
	stat := info.Sys().(*syscall.Stat_t)
	return account{
		name:       "user " + strconv.Itoa(int(stat.Uid)),
		credential: &syscall.Credential{Uid: stat.Uid, Gid: stat.Gid},
	}, nil
}

func accountOf(u *user.User) (account, error) {
	uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
	return account{
		name:       u.Username,
		credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)},
	}, errors.Join(uidErr, gidErr)
}

// own gives the folder to the account.
func (a account) own(dir string) error {
	if a.credential == nil {
		return nil
	}
	return os.Chown(dir, int(a.credential.Uid), int(a.credential.Gid))
}

// enter proves that the account can reach dir, by doing it: a checkout below
// /root is closed to others, whatever the folder itself allows.
func (a account) enter(dir string) error {
	cmd := exec.Command("/bin/sh", "-c", "test -w .")
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: a.credential}
	if err := cmd.Run(); err != nil {
		who := a.name
		if who == "" {
			who = "this user"
		}
		return fmt.Errorf("%s cannot write to %s", who, dir)
	}
	return nil
}

// command prepares a program of PostgreSQL's to run as the home's account. It
// inherits the locked leash and ends when this process does. It has a process
// group of its own: Ctrl-C in a terminal reaches us alone, and we stop the
// server when nobody needs it any more.
func (c *Cluster) command(ctx context.Context, leash *os.File, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(c.binaries.dir, program), args...)
	cmd.Dir = c.home.dir
	cmd.Env = environment()
	cmd.ExtraFiles = []*os.File{leash}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.home.account.credential, Setpgid: true}
	endWithParent(cmd.SysProcAttr)
	return cmd
}

// environment is ours without what would steer the server (PGPORT and the
// like), and with the one locale that every system has.
func environment() []string {
	env := []string{"LC_ALL=C"}
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "PG") && !strings.HasPrefix(entry, "LC_") {
			env = append(env, entry)
		}
	}
	return env
}
