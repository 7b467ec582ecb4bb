package escpos

// cut appends feed and cut.
func (e *Encoder) cut(b []byte) []byte {
	if e.Profile.CutFeed > 0 {
		b = append(b, 0x1B, 'd', byte(e.Profile.CutFeed))
	}
	switch e.Profile.Cut {
	case "feed":
		b = append(b, 0x1D, 'V', 66, 0)
	case "partial":
		b = append(b, 0x1B, 'm')
	case "full":
		b = append(b, 0x1B, 'i')
	}
	if e.Profile.Presenter == "custom" {
		b = append(b, 0x1D, 'e', 3, 1) // present by the smallest step
	}
	return b
}

// Mark returns GS ( H fn 48, which the printer answers when it has finished what
// came before, or GS r 1, which it answers when it gets there.
func (e *Encoder) Mark(id int64, last bool) []byte { return e.mark(nil, id, last) }

func (e *Encoder) mark(b []byte, id int64, last bool) []byte {
	switch e.Profile.Completion {
	case "pid":
		n := id * 2 % 10000
		if last {
			n++
		}
		b = append(b, 0x1D, '(', 'H', 6, 0, 48, 48)
		return append(b, byte('0'+n/1000), byte('0'+n/100%10), byte('0'+n/10%10), byte('0'+n%10))
	case "gs_r":
		return append(b, 0x1D, 'r', 1)
	}
	return b
}

// Queries returns the DLE EOT numbers that this model answers.
func (e *Encoder) Queries() []int {
	switch e.Profile.Dialect {
	case "cashino":
		return []int{1, 2, 4, 3} // 1 tells whether the slip was taken
	case "custom":
		return []int{fullStatus}
	case "hwasung":
		return []int{askASB}
	case "none":
		return nil
	}
	return []int{2, 4, 3}
}

// Query numbers that are not DLE EOT 1-4.
const (
	fullStatus = 20  // Custom's FULL STATUS, DLE EOT 20
	askASB     = 100 // GS a FF, which is answered at once
)

// Query returns DLE EOT n.
func (e *Encoder) Query(n int) []byte {
	if n == askASB {
		return []byte{0x1D, 'a', 0xFF}
	}
	return []byte{0x10, 0x04, byte(n)}
}

// Clear returns zeros for a command cut short, ESC @, the word if the paper is
// void, feed and cut. Zeros are ignored by a printer that waits for nothing.
func (e *Encoder) Clear(zeros int, void bool) []byte {
	b := make([]byte, zeros, zeros+64)
	b = append(b, '\n', 0x1B, '@')
	b = append(b, e.font()...)
	if void {
		b = append(b, 0x1B, 'a', 1, 0x1D, '!', 0x11)
		if e.Profile.Chinese {
			b = append(b, 0xD7, 0xF7, 0xB7, 0xCF, ' ') // 作废
		}
		b = append(b, "VOID\n"...)
		b = append(b, 0x1D, '!', 0, 0x1B, 'a', 0)
	}
	return e.cut(b)
}

// Retry returns DLE ENQ 2: recover after clearing the buffers. Epson's printers
// heed it only in a cutter error.
func (e *Encoder) Retry() []byte { return []byte{0x10, 0x05, 2} }

// Retract draws the slip back.
func (e *Encoder) Retract() []byte {
	switch e.Profile.Presenter {
	case "custom":
		return []byte{0x1D, 'e', 2} // GS e 2
	case "citizen":
		return []byte{0x1D, 'R', '0'} // GS R 0
	}
	return nil
}
