package dev

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

func TestPrivateFileIsMadeOnceAndKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "key")
	first, err := keep(name, randomKey)
	if err != nil {
		t.Fatal(err)
	}
	again, err := keep(name, randomKey)
	if err != nil || string(again) != string(first) {
		t.Errorf("the second start has another key, %v", err)
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left beside it: %v", entries)
	}
}

func TestPrivateFileIsNotMadeByHalf(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "key")
	broken := errors.New("broken")
	if _, err := keep(name, func() ([]byte, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("keep gave %v", err)
	}
	if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is there: %v", err)
	}
}

func TestPortInUseIsPassedOver(t *testing.T) {
	t.Parallel()
	one, err := listen(0)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	other, err := listen(0)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if !other.Addr().(*net.TCPAddr).IP.IsLoopback() {
		t.Errorf("listens on %v", other.Addr())
	}
	_, port, _ := net.SplitHostPort(one.Addr().String())
	taken, _ := strconv.Atoi(port)
	if l, err := listen(taken); err == nil {
		l.Close()
		t.Error("a port that was asked for by name was replaced by another")
	}
}
