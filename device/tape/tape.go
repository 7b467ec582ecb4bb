// Package tape keeps what a program and a device said to each other in a text
// file, and plays it back: a fault that was seen once in a hall is met again by
// a test, as often as one likes. A line is a step:
//
//	> 1B 40     the program writes these bytes
//	< 12 0D     the hardware answers these
//	~           the hardware is silent for a tick
//	!           the hardware is unplugged
//	# text      a remark, as are empty lines
//
// What goes on a tape leaves the box: a Recorder hands every answer to a Blank
// first, which takes out what belongs to a person and nothing else.
//
// It does not know what the bytes mean, except where personal data stands in them.
package tape

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

type kind byte

const (
	write   kind = '>'
	read    kind = '<'
	silence kind = '~'
	gone    kind = '!'
)

// An Op is one step of a tape.
type Op struct {
	kind kind
	data []byte
}

// W is a step in which the program writes these bytes.
func W(b ...byte) Op { return Op{write, slices.Clone(b)} }

// R is a step in which the hardware answers these bytes.
func R(b ...byte) Op { return Op{read, slices.Clone(b)} }

// Silence is a tick without an answer.
func Silence() Op { return Op{kind: silence} }

// Gone is the end of a cable.
func Gone() Op { return Op{kind: gone} }

// Answered returns what the hardware says in this step; nil if it says nothing.
func (o Op) Answered() []byte {
	if o.kind != read {
		return nil
	}
	return o.data
}

// Written returns what the program says in this step; nil if it says nothing.
func (o Op) Written() []byte {
	if o.kind != write {
		return nil
	}
	return o.data
}

// String returns the step as a line of a file, without its end.
func (o Op) String() string {
	if len(o.data) == 0 {
		return string(o.kind)
	}
	return fmt.Sprintf("%c % X", o.kind, o.data)
}

// Bounds on a file that comes from elsewhere.
const (
	maxSteps = 100_000
	maxLine  = 16 << 10
)

// Parse reads a file.
func Parse(b []byte) (ops []Op, err error) {
	n := 0
	for line := range strings.Lines(string(b)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if len(line) > maxLine || len(ops) == maxSteps {
			return nil, fmt.Errorf("line %d: the tape is too long: cut it to the part that matters", n)
		}
		op, err := parseOp(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		ops = append(ops, op)
	}
	return ops, nil
}

func parseOp(line string) (Op, error) {
	switch line {
	case "~":
		return Silence(), nil
	case "!":
		return Gone(), nil
	}
	data, err := hex.DecodeString(strings.ReplaceAll(line[1:], " ", ""))
	switch {
	case err != nil:
		return Op{}, fmt.Errorf("%.20q is no step of a tape: play files of kioskctl record alone", line)
	case len(data) > 0 && line[0] == '>':
		return W(data...), nil
	case len(data) > 0 && line[0] == '<':
		return R(data...), nil
	}
	return Op{}, fmt.Errorf("%.20q is no step: begin with >, <, ~, ! or #", line)
}
