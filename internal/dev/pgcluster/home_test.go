package pgcluster

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestHomeIsElsewhereWhenTheSocketsPathIsTooLong(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), strings.Repeat("deep/", 20), "postgres")
	if _, err := inhabit(dir); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("inhabit gave %v", err)
	}
	one, err := elsewhere(dir)
	if err != nil {
		t.Fatal(err)
	}
	other, err := elsewhere(dir + "2")
	if err != nil {
		t.Fatal(err)
	}
	if one == other {
		t.Errorf("two homes share %s", one)
	}
}

func TestHomeIsElsewhereWhenTheAccountCannotEnter(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root runs the server as another account")
	}
	t.Parallel()
	closed := openTemp(t)
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := inhabit(filepath.Join(closed, "postgres")); err == nil || !strings.Contains(err.Error(), "cannot write") {
		t.Errorf("inhabit gave %v", err)
	}
}

func TestHomeKeepsItsOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give folders away")
	}
	t.Parallel()
	dir := openTemp(t)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, 12345, 12345); err != nil {
		t.Fatal(err)
	}
	h, err := inhabit(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := h.account.credential.Uid; got != 12345 {
		t.Errorf("the server would run as %d", got)
	}
}
