// Package hall is what the boxes of one hall say to each other. One hosts the
// hall and alone decides; the others have joined it.
//
// The Host answers them: it gives tickets, grants ranges of numbers, takes over
// tickets that were given without it, streams the state of the hall, and writes
// down what their displays have shown. The Box is the other end: it gives tickets
// with the host's numbers while the host answers in time and from its reserve
// otherwise, hands those in later, and is the source from which the box's
// displays read the hall. Everything may be repeated: requests carry their id,
// and states are whole.
//
// It does not know how the two found and proved each other: whoever wires it
// checks certificates and says which device asks. It keeps nothing itself: what
// must last is in the two stores.
package hall
