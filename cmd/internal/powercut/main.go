// Powercut makes a disk as a power cut may leave it, from a record of every write
// and flush in the format of the kernel's dm-log-writes (qemu's block driver
// blklogwrites keeps it). It tests that a box starts wherever an update is cut.
//
//	powercut choose [-n 30] [-seed 1] [-after NAME] MARKS DISK LOG
//	powercut cut POINT SEED DISK LOG
//
// choose prints points of the record, one a line: a number, a seed, and what went on.
// MARKS says what the machine did from which byte of LOG on, a line each; points lie
// between the first mark and the last one, half of them spread evenly over the bytes
// that were written, half over the flushes after the last write to the partition NAME.
//
// cut changes DISK, which must be as it was before LOG began: it gets all that was
// written before the last flush before that point, and of what was written since only
// what the seed lets survive, torn at any sector: a disk's cache promises nothing.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "powercut:", err)
		os.Exit(1)
	}
}

func run(args []string, to io.Writer) error {
	if len(args) > 0 {
		switch args[0] {
		case "choose":
			return choose(args[1:], to)
		case "cut":
			return cut(args[1:], to)
		}
	}
	return fmt.Errorf("the first word must be choose or cut: see the package's document")
}

func choose(args []string, to io.Writer) error {
	f := flag.NewFlagSet("choose", flag.ContinueOnError)
	n := f.Int("n", 30, "points")
	seed := f.Uint64("seed", 1, "other points with another one")
	after := f.String("after", "", "half of the points lie after the last write to this partition, spread over the flushes")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() != 3 {
		return fmt.Errorf("choose wants MARKS DISK LOG")
	}
	r, close, err := open(f.Arg(1), f.Arg(2))
	if err != nil {
		return err
	}
	defer close()
	if err := r.mark(f.Arg(0)); err != nil {
		return err
	}
	points, err := r.points(*n, *seed, *after)
	if err != nil {
		return err
	}
	for i, p := range points {
		fmt.Fprintf(to, "%d %d %s\n", p, *seed*1000+uint64(i), r.describe(p))
	}
	return nil
}

func cut(args []string, to io.Writer) error {
	if len(args) != 4 {
		return fmt.Errorf("cut wants POINT SEED DISK LOG")
	}
	point, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	seed, err := strconv.ParseUint(args[1], 10, 64)
	if err != nil {
		return err
	}
	r, close, err := open(args[2], args[3])
	if err != nil {
		return err
	}
	defer close()
	if point < 0 || point > len(r.entries) {
		return fmt.Errorf("point %d: the record has %d writes", point, len(r.entries))
	}
	left, err := r.cut(point, seed)
	if err == nil {
		fmt.Fprintln(to, left)
	}
	return err
}

// open reads the record; the files stay open until close is called.
func open(disk, log string) (r *record, close func(), err error) {
	l, err := os.Open(log)
	if err != nil {
		return nil, nil, err
	}
	d, err := os.OpenFile(disk, os.O_RDWR, 0)
	if err != nil {
		l.Close()
		return nil, nil, err
	}
	close = func() { l.Close(); d.Close() }
	if r, err = read(d, l); err != nil {
		close()
		return nil, nil, fmt.Errorf("%s on %s: %w", log, disk, err)
	}
	return r, close, nil
}

// mark reads the marks: "BYTES WORDS" a line.
func (r *record) mark(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		size, words, _ := strings.Cut(lines.Text(), " ")
		at, err := strconv.ParseInt(size, 10, 64)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		r.marks = append(r.marks, mark{r.index(at), words})
	}
	if len(r.marks) < 2 {
		return fmt.Errorf("%s: two marks are wanted, a beginning and an end", name)
	}
	return nil
}
