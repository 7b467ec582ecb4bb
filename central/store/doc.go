// Package store is what the centre remembers: journals as they came, boxes and
// their certificates, what was sent down to them, and the people who may look.
//
// It is SQL for two engines, SQLite and PostgreSQL, with one schema and one set
// of statements; the few differences are the table in dialect.go. A method that
// has returned nil has been committed and synced. Any number of processes may
// use one PostgreSQL; whoever writes an origin locks its row first.
//
// It does not know HTTP, certificates or pages, and of the bodies of events only
// those that say how a box is.
package store
