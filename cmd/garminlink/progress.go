package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mattn/go-isatty"
)

// progress shows how far something is: a bar on a terminal, else a line for
// each tenth.
type progress struct {
	w     io.Writer
	bar   bool
	shown int // of a bar: what is done; else tenths
}

const barWidth = 40

func newProgress(w io.Writer) *progress {
	file, ok := w.(*os.File)
	return &progress{w: w, bar: ok && isatty.IsTerminal(file.Fd())}
}

func (p *progress) show(done, total int) {
	switch {
	case total == 0:
	case p.bar && done != p.shown:
		p.shown = done
		fmt.Fprintf(p.w, "\r[%-*s] %d of %d", barWidth, strings.Repeat("#", done*barWidth/total), done, total)
	case !p.bar && done*10/total != p.shown:
		p.shown = done * 10 / total
		fmt.Fprintf(p.w, "%d of %d\n", done, total)
	}
}

// say prints a line of its own.
func (p *progress) say(format string, args ...any) {
	p.end()
	fmt.Fprintf(p.w, format+"\n", args...)
}

func (p *progress) end() {
	if p.bar && p.shown > 0 {
		fmt.Fprintln(p.w)
		p.shown = 0
	}
}
