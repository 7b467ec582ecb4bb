package printer

// Data is a page in a printer's language, in two parts: the body is all that is
// to be read, the tail feeds and cuts. A tail may be sent again, a body may not.
type Data struct {
	Body   []byte
	Tail   []byte
	Again  []byte  // the tail for a printer that may have got a part of it already
	Frames []Frame // commands in Body that carry binary data, in order
	Dots   int     // length of the paper, in dots
	Marks  bool    // the printer will answer at the end of the body and of the tail
	Mark   int64   // the Answer.ID of answers that carry one

	Missing []rune // characters that no font has: printed as their numbers
	LeftOut int    // logos left out, because the wire is too slow for them
}

// A Frame is the place [From, To) of a command whose data the printer counts: if
// its tail is lost, the printer eats whatever comes next.
type Frame struct{ From, To int }

// Pending returns how many zero bytes complete whatever command a printer may be
// in the middle of after at most sent bytes of the body arrived. It is an upper
// bound, because buffers on the way may have lost more than the sender knows.
func (d Data) Pending(sent int) int {
	n := 0
	for _, f := range d.Frames {
		if f.From < sent {
			n = max(n, f.To-f.From)
		}
	}
	return n
}

// A Language is one family of printers: it writes pages and reads answers. It
// does no I/O and may be used by one goroutine at a time.
type Language interface {
	// Encode writes a page. Requests for marks end its body and its tail; id
	// tells the marks of one slip from those of the one before.
	Encode(p Page, id int64) (Data, error)

	// Queries returns the real-time queries that together tell how a printer
	// is. Query 3, the cause of an error, is asked only when there is one.
	Queries() []int

	// Query returns the bytes of a real-time query.
	Query(n int) []byte

	// Mark returns a request for a mark of the slip with that id, its last one
	// or the one before.
	Mark(id int64, last bool) []byte

	// Clear returns what brings a printer back to the beginning of a slip: zeros
	// for the data that it still waits for, a line that says the paper is void if
	// it is, and a cut.
	Clear(zeros int, void bool) []byte

	// Retry returns what makes a printer leave a cutter error and forget its
	// buffers.
	Retry() []byte

	// Retract returns what draws a slip back that nobody took; empty where the
	// model cannot.
	Retract() []byte

	// Answers returns a new reader of the printer's bytes.
	Answers() Answers
}

// Answers takes a printer's bytes apart. Kinds of answers may be mixed in any
// order and split anywhere.
type Answers interface {
	// Ask tells which real-time query the next answer belongs to; 0 is none.
	Ask(n int)
	// Next takes one byte and returns an answer when it completes one.
	Next(b byte) (Answer, bool)
}

// A Kind says why an answer came.
type Kind byte

// The kinds of answers.
const (
	Replied  Kind = iota + 1 // to the real-time query asked last
	Reported                 // on its own, after a change
	Marked                   // a mark was reached
)

// An Answer is one thing a printer said.
type Answer struct {
	Kind   Kind
	Status Status
	ID     int64 // of the slip, when the mark carries it; -1 when it does not
	Last   bool  // the mark of the tail, when it carries an ID
}
