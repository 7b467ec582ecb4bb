// Package central is what the boxes of halls and the centre say to each other,
// and the boxes' side of it: the outbox that ships a journal, the inbox that
// takes commands and documents, and the identity a box is known by.
//
// A journal goes up in batches, in order, without gaps, until the centre has
// committed it; the centre answers how far it has got, and that answer alone
// moves the box on. Everything may be repeated.
//
// It does not know how a journal is stored, what an event means, or what
// hardware a box has. deploy/docs/integrator/sync.md is the specification.
package central
