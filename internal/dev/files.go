package dev

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
)

// keep returns the contents of a private file, which create makes on first
// use. A start that is killed leaves the whole file or none.
func keep(name string, create func() ([]byte, error)) ([]byte, error) {
	text, err := os.ReadFile(name)
	if !errors.Is(err, os.ErrNotExist) {
		return text, err
	}
	if text, err = create(); err != nil {
		return nil, err
	}
	fresh, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*") // mode 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(fresh.Name()) // gone by then, unless something failed
	_, err = fresh.Write(text)
	if err := errors.Join(err, fresh.Sync(), fresh.Close()); err != nil {
		return nil, err
	}
	return text, os.Rename(fresh.Name(), name)
}

func randomKey() ([]byte, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: it ends the program instead
	return key, nil
}
