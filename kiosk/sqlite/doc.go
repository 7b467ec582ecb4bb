// Package sqlite remembers what a hall has promised, in one SQLite file.
//
// The journal is the truth: every change is decided by reading the state tables,
// appended to the journal as a kiosk.Event, and carried into the state tables by
// one function, apply. A database can therefore be rebuilt from its journal, and
// Rebuild does so. A method that has returned nil has been synced to the disk.
//
// One goroutine writes at a time: the first that finds nobody writing commits
// for all who wait, in one transaction, so many clients share one sync of the
// disk. Requests carry an id; the same id has the same answer for ever, refusals
// included.
//
// The clock is not trusted. The time of an event is never before that of the
// event before it, and the business day moves forward only. While the clock is
// not set (before 2024), stands before the business day, or has jumped further
// ahead than the hall allows, an alarm stands, the day and the last time stay,
// and tickets go on with the next number, marked as unsettled; so no number is
// given twice. The alarm ends when the clock is credible again. A jump ahead that
// is right is accepted by a person with BelieveClock. A file that begins under
// an unset clock has a day of its own, and goes on to the real one when the
// clock is set.
//
// It does not know what a printer, a sign or a network is, and it takes no
// decision of policy that the hall's document does not contain.
package sqlite
