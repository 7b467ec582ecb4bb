// Package web is what people and programs of the hall reach with a browser or
// with HTTP: the JSON API under /api/v1, the touch page, the clerk console, the
// citizen's page behind the ticket's QR code, and the streams that keep them
// current.
//
// It decides nothing: every request becomes one call of the interfaces it
// declares (Tickets, Windows, Hall, Touch), and every refusal is passed on with
// its sentence in both languages. It does not know how anything is stored,
// printed, read from a card or shown on a board, and it does not know the wall
// page. It writes no log; Options.OnError hears what a person is not told.
//
// The package starts no goroutine: each stream lives in the handler that
// net/http started for it.
package web
